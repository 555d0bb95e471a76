/**
 * How far a log is counted, as a snapshot: `xmin:xmax:xip`. What began after it, or was under way then, is not counted. It is
 * no number, for the reason that ChangeCursor gives: one hanging transaction would hold up the counts of everybody.
 *
 * A mark need not be a snapshot that ever was: it is cut off after the last change that was counted.
 */
interface Mark {
  /** The first transaction that had not begun. */
  end: bigint;
  /** The transactions before it that were under way, in order. */
  open: readonly bigint[];
}

/** Nothing is counted: no transaction has an id below this. */
export const nothingCounted = '1:1:';

export function parseMark(snapshot: string): Mark {
  const [, end = '', open = ''] = snapshot.split(':');
  return { end: BigInt(end), open: open === '' ? [] : open.split(',').map(BigInt) };
}

/** The text of a snapshot. */
export function formatMark({ end, open }: Mark): string {
  return `${open[0] ?? end}:${end}:${open.join(',')}`;
}

/** The same snapshot, but no more of it than up to a transaction. */
export function cut({ open }: Mark, end: bigint): Mark {
  return { end, open: open.filter((xid) => xid < end) };
}
