import type { GraphQLResolveInfo } from 'graphql';
import type { Window } from '../database/keyset.ts';
import { LonghaulError } from '../errors.ts';
import type { Cursors } from '../cursors.ts';
import { selectedBelow } from './selection.ts';

/** Arguments of a Relay connection. */
export interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

interface Edge<Node> {
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

/** Reads the rows of a window. A probe needs to know only whether there are any. */
type ReadRows<Node> = (window: Window, isProbe: boolean) => Promise<readonly Node[]>;

interface PageRequest<Node> {
  cursors: Cursors;
  /** The list's name, which its cursors carry. */
  list: string;
  order: ListOrder;
  args: PageArgs;
  info: GraphQLResolveInfo;
  /** What the list is ordered by, in the form of an id. Default: the id. */
  placeOf?: (node: Node) => string;
}

/**
 * Reads a page of a list that is ordered by id, or by what has the form of one. Whether there is more on either side is asked of the database only where it is
 * selected.
 *
 * @throws BAD_USER_INPUT for a size outside 1 to 100, for `first` together with `last`, and for a cursor of another list
 */
export async function readPage<Node extends { id: string }>(
  { cursors, list, order, args, info, placeOf = ({ id }) => id }: PageRequest<Node>,
  read: ReadRows<Node>,
): Promise<Connection<Node>> {
  const { first, last } = args;
  if (first != null && last != null) refuse('Give either first or last, not both.');
  for (const [name, size] of [['first', first], ['last', last]] as const) {
    if (size != null && (size < 1 || size > largestSize)) {
      refuse(`${name} must be from 1 to ${largestSize}, got ${size}.`);
    }
  }
  const backward = last != null;
  const size = last ?? first ?? defaultSize;
  const after = args.after == null ? null : placeIn(cursors, list, 'after', args.after);
  const before = args.before == null ? null : placeIn(cursors, list, 'before', args.before);
  const ascending = order === 'ASC';
  const asked = selectedBelow(info, 'pageInfo');

  const window: Window = {
    above: ascending ? after : before,
    below: ascending ? before : after,
    direction: ascending === backward ? 'DESC' : 'ASC',
    // One more row tells whether the list goes on.
    limit: size + (asked.has(backward ? 'hasPreviousPage' : 'hasNextPage') ? 1 : 0),
  };
  /** Whether there is anything from a cursor on, away from the page. The cursor's own row may be gone, or be filtered out. */
  const isBeyond = async (flag: Flag, cursor: string | null): Promise<boolean> => {
    if (cursor === null || !asked.has(flag)) return false;
    const upwards = (flag === 'hasNextPage') === ascending;
    const direction = upwards ? 'ASC' : 'DESC';
    const bounds = { above: upwards ? cursor : null, below: upwards ? null : cursor, inclusive: true };
    return (await read({ ...bounds, direction, limit: 1 }, true)).length > 0;
  };
  const [rows, isBehind] = await Promise.all([
    read(window, false),
    backward ? isBeyond('hasNextPage', before) : isBeyond('hasPreviousPage', after),
  ]);
  const isAhead =
    rows.length > size || (await (backward ? isBeyond('hasPreviousPage', after) : isBeyond('hasNextPage', before)));
  const page = rows.slice(0, size);
  if (backward) page.reverse();
  const edges = page.map((node) => new PageEdge(cursors, list, node, placeOf(node)));
  return {
    edges,
    pageInfo: {
      hasNextPage: backward ? isBehind : isAhead,
      hasPreviousPage: backward ? isAhead : isBehind,
      get startCursor() {
        return edges[0]?.cursor ?? null;
      },
      get endCursor() {
        return edges.at(-1)?.cursor ?? null;
      },
    },
  };
}

type Flag = 'hasNextPage' | 'hasPreviousPage';

/** Makes its cursor if that is asked for. */
class PageEdge<Node> implements Edge<Node> {
  readonly node: Node;
  readonly #cursors: Cursors;
  readonly #list: string;
  readonly #place: string;

  constructor(cursors: Cursors, list: string, node: Node, place: string) {
    this.#cursors = cursors;
    this.#list = list;
    this.#place = place;
    this.node = node;
  }

  get cursor(): string {
    return this.#cursors.encode(this.#list, this.#place);
  }
}

function placeIn(cursors: Cursors, list: string, argument: string, cursor: string): string {
  const id = cursors.decode(list, cursor);
  if (id === null) refuse(`${argument} is not a cursor of this list. Use one that a page of this list gave.`);
  return id;
}

function refuse(message: string): never {
  throw new LonghaulError('BAD_USER_INPUT', message);
}
