import { onTestFinished } from 'vitest';
import { JobProgressDocument, type JobProgressSubscription } from '../graphql/generated/graphql.ts';
import { next, watchSocket } from './client.ts';

type JobVersion = JobProgressSubscription['jobProgress'];

/** A job that is watched over a WebSocket, at most until the end of the test. */
interface WatchedJob {
  /** The next version for which this holds. Earlier ones are skipped. */
  until(holds: (job: JobVersion) => boolean): Promise<JobVersion>;
  /** The last version. The subscription has completed after it. */
  end(): Promise<JobVersion>;
}

export function watchJob(url: string, key: string, id: string): WatchedJob {
  const watch = watchSocket(url, key, JobProgressDocument, { id });
  onTestFinished(async () => {
    await watch.return?.();
  });
  let last: JobVersion | null = null;
  const advance = async () => {
    const { jobProgress } = await next(watch);
    last = jobProgress;
    return jobProgress;
  };
  return {
    until: async (holds) => {
      for (;;) {
        const job = await advance();
        if (holds(job)) return job;
      }
    },
    end: async () => {
      for await (const { data, errors } of watch) {
        if (data == null) throw new Error(`an event brought errors: ${JSON.stringify(errors)}`);
        last = data.jobProgress;
      }
      if (last === null) throw new Error('the subscription ended without an event');
      return last;
    },
  };
}
