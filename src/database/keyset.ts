/** A stretch of a list that is ordered by id. */
export interface Window {
  /** Exclusive bounds, as ids; null is open. */
  above: string | null;
  below: string | null;
  direction: 'ASC' | 'DESC';
  limit: number;
  /** Rows to leave out first, for lists whose clients know no cursors. They are read all the same. */
  offset?: number;
}

/** Collects parameters and gives back their `$n`. */
export function binder(parameters: unknown[]): (value: unknown) => string {
  return (value) => `$${parameters.push(value)}`;
}

/** The conditions of a window on a column of ids. */
export function withinWindow(column: string, { above, below }: Window, bind: (value: unknown) => string): string[] {
  return [
    ...(above === null ? [] : [`${column} > ${bind(above)}::uuid`]),
    ...(below === null ? [] : [`${column} < ${bind(below)}::uuid`]),
  ];
}

/** The order and the size of a window. */
export function windowOrder(
  column: string,
  { direction, limit, offset = 0 }: Window,
  bind: (value: unknown) => string,
): string {
  const order = `ORDER BY ${column} ${direction} LIMIT ${bind(limit)}::int`;
  return offset === 0 ? order : `${order} OFFSET ${bind(offset)}::bigint`;
}
