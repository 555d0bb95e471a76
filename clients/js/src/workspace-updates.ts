import * as documents from './documents.ts';
import type { Http } from './http.ts';
import type { Job } from './job.ts';
import { begin } from './limits.ts';
import type { Live } from './live/live.ts';
import { type Listening, type Updates, updatesOf } from './live/updates.ts';

/** Which jobs of the workspace to follow. */
export interface UpdatesFilter {
  ids?: readonly string[] | undefined;
  types?: readonly string[] | undefined;
  /** Jobs that bear every one of these. */
  tags?: readonly string[] | undefined;
}

/** A job as of one change. */
export interface JobUpdate {
  job: Job;
  /** Goes on right after it, for seven days. */
  cursor: string;
}

/** Of so many jobs the version seen last is remembered. */
const mostRemembered = 10_000;

/** Every change of status, and progress as it comes; after a break what was seen already is left out (PROTOCOL.md, U1 to U6). */
export function workspaceUpdates(http: Http, live: Live, filter: UpdatesFilter, from: string | null, { onTransport, ...limits }: Listening): Updates<JobUpdate> {
  return updatesOf(live, [begin(limits)], async (signal) => {
    // Asked first, so that a break before the first update hides nothing.
    let after = from ?? (await http.ask<{ jobUpdatesCursor: string }>(documents.jobUpdatesCursor, {}, signal)).jobUpdatesCursor;
    const seen = new Seen();
    return {
      query: documents.jobUpdates,
      newestOnly: false,
      variables: () => ({ filter, after }),
      take: (data) => {
        const update = data['jobUpdates'] as JobUpdate;
        after = update.cursor;
        return seen.isNews(update.job) ? [update] : [];
      },
    };
  }, { onTransport });
}

/** The newest version of each job, of those that changed last. */
class Seen {
  readonly #versions = new Map<string, number>();

  isNews({ id, version }: Job): boolean {
    if (version <= (this.#versions.get(id) ?? 0)) return false;
    this.#versions.delete(id);
    this.#versions.set(id, version);
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > mostRemembered && oldest !== undefined) this.#versions.delete(oldest);
    return true;
  }
}
