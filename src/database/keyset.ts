/** A range of a list that is ordered by id. */
export interface Window {
  /** Bounds, as ids; null means unbounded. */
  above: string | null;
  below: string | null;
  /** Whether the bounds themselves are in the range. Default: false. */
  inclusive?: boolean;
  direction: 'ASC' | 'DESC';
  limit: number;
  /** Rows to skip, for clients without cursors. Postgres still reads them. */
  offset?: number;
}

/** Collects parameters and returns their placeholders, `$n`. */
export function binder(parameters: unknown[]): (value: unknown) => string {
  return (value) => `$${parameters.push(value)}`;
}

/** The WHERE conditions of a window. */
export function withinWindow(
  column: string,
  { above, below, inclusive = false }: Window,
  bind: (value: unknown) => string,
): string[] {
  const or = inclusive ? '=' : '';
  return [
    ...(above === null ? [] : [`${column} >${or} ${bind(above)}::uuid`]),
    ...(below === null ? [] : [`${column} <${or} ${bind(below)}::uuid`]),
  ];
}

/** The ORDER BY, LIMIT and OFFSET of a window. */
export function windowOrder(
  column: string,
  { direction, limit, offset = 0 }: Window,
  bind: (value: unknown) => string,
): string {
  const order = `ORDER BY ${column} ${direction} LIMIT ${bind(limit)}::int`;
  return offset === 0 ? order : `${order} OFFSET ${bind(offset)}::bigint`;
}

/** A window as the conditions and options of `em.find`. */
export function inWindow({ above, below, inclusive = false, direction, limit }: Window) {
  const from = above === null ? [] : [{ id: inclusive ? { $gte: above } : { $gt: above } }];
  const to = below === null ? [] : [{ id: inclusive ? { $lte: below } : { $lt: below } }];
  return {
    where: { $and: [...from, ...to] },
    options: { orderBy: { id: direction }, limit },
  };
}
