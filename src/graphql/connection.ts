import type { Window } from '../database/keyset.ts';
import { LonghaulError } from '../errors.ts';
import type { Cursors } from './cursor.ts';

/** Arguments of a Relay connection. */
export interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

export interface Edge<Node> {
  cursor: string;
  node: Node;
}

/** A page, as specified at https://relay.dev/graphql/connections.htm. */
export interface Connection<Node> {
  edges: Edge<Node>[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}

export type ListOrder = 'ASC' | 'DESC';

const defaultSize = 20;
const largestSize = 100;

/** Cost of `totalCount`. Like every field of a connection, it is multiplied by the page size. */
export const countCost = 10;

/** Prices a connection as if its page were full. */
export function pageCost({ first, last }: PageArgs): { field: number; multiplier: number } {
  return { field: 1, multiplier: Math.min(Math.max(first ?? last ?? defaultSize, 1), largestSize) };
}

/** A requested page: which rows to read, and how to turn them into a connection. */
export interface Page {
  /** Its limit is one row above the page size, to tell whether more rows follow. */
  window: Window;
  toConnection<Node extends { id: string }>(rows: readonly Node[]): Connection<Node>;
}

/**
 * Reads the arguments of a connection over a list that is ordered by id.
 *
 * @param list the list's name, which its cursors carry
 * @throws BAD_USER_INPUT for a size outside 1 to 100, for `first` together with `last`, and for a cursor of another list
 */
export function readPage(cursors: Cursors, list: string, args: PageArgs, order: ListOrder): Page {
  const { first, last } = args;
  if (first != null && last != null) refuse('Give either first or last, not both.');
  for (const [name, size] of [['first', first], ['last', last]] as const) {
    if (size != null && (size < 1 || size > largestSize)) {
      refuse(`${name} must be from 1 to ${largestSize}, got ${size}.`);
    }
  }
  const backward = last != null;
  const size = last ?? first ?? defaultSize;
  const after = args.after == null ? null : placeOf(cursors, list, 'after', args.after);
  const before = args.before == null ? null : placeOf(cursors, list, 'before', args.before);
  const ascending = order === 'ASC';

  return {
    window: {
      above: ascending ? after : before,
      below: ascending ? before : after,
      direction: ascending === backward ? 'DESC' : 'ASC',
      limit: size + 1,
    },
    toConnection: (rows) => {
      const more = rows.length > size;
      const page = rows.slice(0, size);
      if (backward) page.reverse();
      const edges = page.map((node) => ({ cursor: cursors.encode(list, node.id), node }));
      return {
        edges,
        pageInfo: {
          // The query does not read beyond the given cursor, but the cursor's own row is there.
          hasNextPage: backward ? before !== null : more,
          hasPreviousPage: backward ? more : after !== null,
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
        },
      };
    },
  };
}

function placeOf(cursors: Cursors, list: string, argument: string, cursor: string): string {
  const id = cursors.decode(list, cursor);
  if (id === null) refuse(`${argument} is not a cursor of this list. Use one that a page of this list gave.`);
  return id;
}

function refuse(message: string): never {
  throw new LonghaulError('BAD_USER_INPUT', message);
}
