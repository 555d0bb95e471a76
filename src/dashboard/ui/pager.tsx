import { href, route } from '../app/router.ts';

/** Which page of a connection is asked for. */
interface PageVariables {
  first?: number;
  after?: string;
  last?: number;
  before?: string;
}

/** Where a page stands in its list. */
interface PageInfo {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor: string | null;
  endCursor: string | null;
}

/** The page that the address names by `after` or `before`; the first one where it names none. */
export function pageOf(params: URLSearchParams, size: number): PageVariables {
  const before = params.get('before');
  if (before !== null) return { last: size, before };
  const after = params.get('after');
  return after === null ? { first: size } : { first: size, after };
}

/** What a change of a filter takes out of the address: the cursors belong to the list as it was. */
export const firstPage = { after: null, before: null } as const;

/**
 * Links to the pages before and after, where there are any.
 *
 * @param order of the list: the newest first, or the oldest
 */
export function Pager({ page: { hasNextPage, hasPreviousPage, startCursor, endCursor }, order = 'newest' }: { page: PageInfo; order?: 'newest' | 'oldest' }) {
  if (!hasNextPage && !hasPreviousPage) return null;
  const { path, params } = route.value;
  const kept = { ...Object.fromEntries(params), ...firstPage };
  const [back, on] = order === 'newest' ? ['Newer', 'Older'] : ['Older', 'Newer'];
  return (
    <nav class="row pager" aria-label="Pages">
      {hasPreviousPage && (
        <a class="button" href={href(path, { ...kept, before: startCursor })}>
          ← {back}
        </a>
      )}
      {hasNextPage && (
        <a class="button" href={href(path, { ...kept, after: endCursor })}>
          {on} →
        </a>
      )}
    </nav>
  );
}
