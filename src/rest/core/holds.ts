import type { Jobs } from '../../jobs/jobs.ts';
import type { Job } from '../../jobs/model/job.ts';
import { JobDeletedError } from '../../jobs/model/job-errors.ts';

/** Answers that wait for their job to change (RFC 7240, `Prefer: wait`), until the process stops at the latest. */
export class Holds {
  readonly #jobs: Pick<Jobs, 'watch'>;
  readonly #held = new Set<AbortController>();
  #stopped = false;

  constructor(jobs: Pick<Jobs, 'watch'>) {
    this.#jobs = jobs;
  }

  /**
   * Resolves when a newer version is news to the client, when the time is over, when the client leaves, or when the process stops.
   *
   * @param onLeave calls its argument when the client leaves; what it returns stops that
   */
  async untilNews(
    { id, version }: Pick<Job, 'id' | 'version'>,
    seconds: number,
    isNews: (job: Job) => boolean,
    onLeave: (leave: () => void) => () => void,
  ): Promise<void> {
    if (this.#stopped) return;
    const hold = new AbortController();
    const end = () => hold.abort();
    const timer = setTimeout(end, seconds * 1_000);
    const forget = onLeave(end);
    this.#held.add(hold);
    try {
      for await (const job of this.#jobs.watch(id, version, hold.signal)) if (isNews(job)) break;
    } catch (error) {
      // Whoever waited reads the job again, and finds it gone.
      if (!(error instanceof JobDeletedError)) throw error;
    } finally {
      this.#held.delete(hold);
      clearTimeout(timer);
      forget();
    }
  }

  /** Ends every hold. May be called twice. */
  stop(): void {
    this.#stopped = true;
    for (const hold of this.#held) hold.abort();
  }
}
