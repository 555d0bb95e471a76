import type { Feed } from '../../jobs/feed/feed.ts';
import type { Job } from '../../jobs/model/job.ts';

/** The longest that an answer is held, in seconds. */
export const mostWaitSeconds = 30;

/** Answers that wait for their job to change (RFC 7240, `Prefer: wait`), and what ends them when the process stops. */
export class Holds {
  readonly #feed: Feed;
  readonly #held = new Set<AbortController>();
  #stopped = false;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Resolves when there is a newer version, when the time is over, when `gone` says so, or when the process stops. */
  async untilNewer({ id, version }: Pick<Job, 'id' | 'version'>, seconds: number, gone: (leave: () => void) => () => void): Promise<void> {
    if (this.#stopped) return;
    const hold = new AbortController();
    const end = () => hold.abort();
    const timer = setTimeout(end, seconds * 1_000);
    const stay = gone(end);
    this.#held.add(hold);
    try {
      const versions = this.#feed.watch(id, version, hold.signal);
      await versions.next();
      await versions.return?.();
    } finally {
      this.#held.delete(hold);
      clearTimeout(timer);
      stay();
    }
  }

  /** Answers everyone with what there is. May be called twice. */
  stop(): void {
    this.#stopped = true;
    for (const hold of this.#held) hold.abort();
  }
}

/** The seconds that a client would wait, at most so many as are given; null where it says nothing that can be read. */
export function waitWanted(prefer: string | string[] | undefined): number | null {
  if (prefer === undefined) return null;
  const text = Array.isArray(prefer) ? prefer.join(',') : prefer;
  const seconds = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec(text)?.[1];
  return seconds === undefined || Number(seconds) === 0 ? null : Math.min(mostWaitSeconds, Number(seconds));
}
