import { href } from '../app/router.ts';
import { type Filter, paramsOf } from './job-filters.ts';
import type { PageInfo, Place } from './job-list.ts';

/** The ways to newer and older jobs. */
export function JobPager({ page, filters, place }: { page: PageInfo; filters: readonly Filter[]; place: Place }) {
  const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page;
  const params = paramsOf(filters);
  const first = place.next === null && place.previous === null;
  if (first && !hasNextPage) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {!first && <a class="button" href={href(['jobs'], params)}>Newest</a>}
      {!first && (hasPreviousPage || place.next !== null) && (
        <a class="button" rel="prev" href={href(['jobs'], { ...params, previous: startCursor })}>
          Newer
        </a>
      )}
      {(hasNextPage || place.previous !== null) && (
        <a class="button" rel="next" href={href(['jobs'], { ...params, next: endCursor })}>
          Older
        </a>
      )}
    </nav>
  );
}
