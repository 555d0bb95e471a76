import { LRUCache } from 'lru-cache';
import type { Jobs } from '../../jobs/jobs.ts';
import type { Viewer } from '../../workspaces/viewer.ts';

/** A count is kept for a second, or for twenty times as long as it took: counting takes a twentieth of the time at most. */
const believedMilliseconds = 1_000;
const believedTimes = 20;

interface Counted {
  length: Promise<number>;
  /** By performance.now(); infinite while it is being counted. */
  until: number;
}

const counts = new LRUCache<string, Counted>({ max: 10_000 });

/**
 * Jobs that wait in the viewer's workspace, MAX_QUEUE_LENGTH at most; the count may be a moment old. 0 for the holder of a
 * token, who learns only of the jobs that it opens.
 */
export async function queueLength(jobs: Jobs, { workspaceId, restriction }: Viewer): Promise<number> {
  return restriction === null ? counted(jobs, workspaceId) : 0;
}

function counted(jobs: Jobs, workspaceId: string): Promise<number> {
  const known = counts.get(workspaceId);
  if (known !== undefined && known.until > performance.now()) return known.length;
  const startedAt = performance.now();
  const believe = (milliseconds: number) => {
    count.until = performance.now() + milliseconds;
  };
  const length = jobs.counting.pending(workspaceId).then(
    (pending) => {
      believe(Math.max(believedMilliseconds, believedTimes * (performance.now() - startedAt)));
      return pending;
    },
    (error: unknown) => {
      believe(0);
      throw error;
    },
  );
  const count: Counted = { length, until: Number.POSITIVE_INFINITY };
  counts.set(workspaceId, count);
  return length;
}
