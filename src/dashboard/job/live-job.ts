import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { client, noticed, query } from '../app/api.ts';
import { FollowJobDocument, type FollowJobSubscription, type JobStatus, ReadJobDocument, type WholeJobFragment } from '../generated/job.ts';

/** What is known of the job of an address. */
export interface LiveJob {
  /** As it was seen last; null before the first answer, and where there is none. */
  job: WholeJobFragment | null;
  /** Nobody knows it, or this key may not see it. */
  missing: boolean;
  error: unknown;
}

/** How long a hidden tab goes on to listen, in milliseconds. */
const hiddenFor = 60_000;

export function isFinal(status: JobStatus): boolean {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED';
}

/** The job as it changes, until it has ended. Restarts and breaks are gone over; a tab that nobody sees lets go and reads anew later. */
export function useLiveJob(id: string): { live: LiveJob; reload: () => void } {
  const live = useSignal<LiveJob>({ job: null, missing: false, error: null });
  const round = useSignal(0);
  const reload = useMemo(() => () => void (round.value += 1), [round]);
  useEffect(() => {
    live.value = { job: null, missing: false, error: null };
  }, [id]);
  useEffect(() => {
    const controller = new AbortController();
    follow(id, controller.signal, (next) => (live.value = next)).catch((error: unknown) => {
      if (!controller.signal.aborted) live.value = { ...live.value, error: noticed(error) };
    });
    const release = whenHidden(() => controller.abort(), reload);
    return () => {
      release();
      controller.abort();
    };
  }, [id, round.value, reload]);
  return { live: live.value, reload };
}

async function follow(id: string, signal: AbortSignal, show: (live: LiveJob) => void): Promise<void> {
  const { job } = await query(ReadJobDocument, { id }, { signal });
  signal.throwIfAborted();
  show({ job, missing: job === null, error: null });
  if (job === null || isFinal(job.status)) return;
  const document = FollowJobDocument.toString();
  for await (const { jobProgress } of client.subscribe<FollowJobSubscription>(document, { id, afterVersion: job.version }, { signal })) {
    show({ job: jobProgress, missing: false, error: null });
  }
}

/** @param back told when somebody looks again, after `leave` was told */
function whenHidden(leave: () => void, back: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let left = false;
  const change = () => {
    clearTimeout(timer);
    if (!document.hidden) return left ? back() : undefined;
    timer = setTimeout(() => {
      left = true;
      leave();
    }, hiddenFor);
    return undefined;
  };
  document.addEventListener('visibilitychange', change);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', change);
  };
}
