import type { Client, Limits } from '@longhaul/client';

/** A page of any list of the API. */
export interface Page<Item> {
  edges: { node: Item }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** Items of a page of 100 at most. */
const mostOnPage = 100;

/**
 * The first items of a list, over as many pages as it takes.
 *
 * @param document with $first and $after; selects `edges { node } pageInfo { hasNextPage endCursor }`
 * @param pageIn finds the page in the answer
 */
export async function readPages<Data, Item>(
  client: Client,
  { document, variables = {}, pageIn, limit }: { document: string; variables?: object; pageIn: (data: Data) => Page<Item>; limit: number },
  limits: Limits = {},
): Promise<Item[]> {
  const items: Item[] = [];
  let after: string | null = null;
  for (;;) {
    const first = Math.min(mostOnPage, limit - items.length);
    const { edges, pageInfo }: Page<Item> = pageIn(await client.query<Data>(document, { ...variables, first, after }, limits));
    items.push(...edges.map(({ node }) => node));
    if (!pageInfo.hasNextPage || items.length >= limit) return items;
    after = pageInfo.endCursor;
  }
}
