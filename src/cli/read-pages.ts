import type { Client, Limits } from '@longhaul/client';

/** A page of any list of the API. */
export interface Page<Item> {
  edges: { node: Item }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** What list to read. */
export interface List<Data, Item> {
  /** With $first and $after; selects `edges { node } pageInfo { hasNextPage endCursor }`. */
  document: string;
  variables?: object;
  /** Finds the page in an answer. */
  pageIn: (data: Data) => Page<Item>;
}

/** Items of a page of 100 at most. */
const mostOnPage = 100;

/** The items of a list, read page by page as the loop comes to them. @param likely how many will be looked at, where that is known */
export async function* readItems<Data, Item>(client: Client, { document, variables = {}, pageIn }: List<Data, Item>, likely = Infinity, limits?: Limits): AsyncGenerator<Item, void> {
  let after: string | null = null;
  do {
    const first = Math.min(mostOnPage, likely);
    const { edges, pageInfo }: Page<Item> = pageIn(await client.query<Data>(document, { ...variables, first, after }, limits));
    for (const { node } of edges) yield node;
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
}

/** The first items of a list. @param suits leaves out others, before they are counted */
export async function readFirst<Data, Item>(client: Client, list: List<Data, Item>, limit = Infinity, suits?: (item: Item) => boolean): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of readItems(client, list, suits === undefined ? limit : Infinity)) {
    if (suits?.(item) ?? true) items.push(item);
    if (items.length === limit) break;
  }
  return items;
}
