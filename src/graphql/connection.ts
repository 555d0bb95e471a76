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

/** A page, as https://relay.dev/graphql/connections.htm has it. */
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

/** Cost of counting a list. Like everything in a connection it counts once for each row of the page. */
export const countCost = 10;

/** What a connection costs: its page at full size. */
export function pageCost({ first, last }: PageArgs): { field: number; multiplier: number } {
  return { field: 1, multiplier: Math.min(Math.max(first ?? last ?? defaultSize, 1), largestSize) };
}

/** A page that was asked for: what to read, and how to make a connection of it. */
export interface Page {
  /** One row more than the page has, to know whether another follows. */
  window: Window;
  toConnection<Node extends { id: string }>(rows: readonly Node[]): Connection<Node>;
}

/**
 * Reads the arguments of a connection over a list that is ordered by id.
 *
 * @param list names the list in its cursors.
 * @throws BAD_USER_INPUT for sizes outside 1 to 100, for both sizes at once, and for a cursor of no such list.
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
          // The side that was not read: what the cursor names stands there.
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
