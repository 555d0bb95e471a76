import { isFinal } from '@longhaul/client';
import { useSignal } from '@preact/signals';
import { useCallback, useEffect } from 'preact/hooks';
import { query, subscribe } from '../app/api.ts';
import { whileWatched } from '../app/watched.ts';
import { FollowJobDocument, ReadJobDocument, type WholeJobFragment } from '../generated/job.ts';

/** What is known of the job of an address. */
interface LiveJob {
  /** As it was seen last; null before the first answer, and where there is none. */
  job: WholeJobFragment | null;
  /** Nobody knows it, or this key may not see it. */
  missing: boolean;
  error: unknown;
}

/** The job as it changes, until it has ended. Restarts and breaks are gone over; a tab that nobody sees lets go and reads anew later. */
export function useLiveJob(id: string): { live: LiveJob; reload: () => void } {
  const live = useSignal<LiveJob>({ job: null, missing: false, error: null });
  const round = useSignal(0);
  const reload = useCallback(() => void (round.value += 1), []);
  useEffect(() => {
    const left = new AbortController();
    whileWatched(left.signal, (signal) => follow(id, signal, (next) => (live.value = next))).catch((error: unknown) => {
      if (!left.signal.aborted) live.value = { ...live.value, error };
    });
    return () => left.abort();
  }, [id, round.value]);
  return { live: live.value, reload };
}

async function follow(id: string, signal: AbortSignal, show: (live: LiveJob) => void): Promise<void> {
  const { job } = await query(ReadJobDocument, { id }, { signal });
  signal.throwIfAborted();
  show({ job, missing: job === null, error: null });
  if (job === null || isFinal(job.status)) return;
  for await (const { jobProgress } of subscribe(FollowJobDocument, { id, afterVersion: job.version }, { signal })) {
    if (!signal.aborted) show({ job: jobProgress, missing: false, error: null });
  }
}
