import type { EntityManager } from '@mikro-orm/core';
import type { Shown } from '../../database/columns.ts';
import { JobAttemptEntity, LeaseEntity } from '../model/entities.ts';

type EndedAttempt = Shown<typeof JobAttemptEntity>;

/** One attempt at a job by one worker. `endedAt` and `outcome` are null while it runs. */
export type JobAttempt = Pick<EndedAttempt, 'jobId' | 'number' | 'workerId' | 'dueAt' | 'startedAt' | 'error'> & {
  [Key in 'endedAt' | 'outcome']: EndedAttempt[Key] | null;
};

/** The attempts of these jobs, in order within each. A running one is shown from its lease. The caller must be allowed to see the jobs. */
export async function listAttempts(em: EntityManager, jobIds: readonly string[]): Promise<JobAttempt[]> {
  const ofJobs = { jobId: { $in: [...jobIds] } };
  // In this order an attempt that ends in between is found twice, not missed.
  const leases = await em.find(LeaseEntity, ofJobs);
  const ended: JobAttempt[] = await em.find(JobAttemptEntity, ofJobs, { orderBy: { jobId: 'ASC', number: 'ASC' } });
  const running = leases
    .filter((lease) => !ended.some(({ jobId, number }) => jobId === lease.jobId && number === lease.attempt))
    .map(({ attempt: number, jobId, workerId, dueAt, startedAt }) =>
      ({ jobId, number, workerId, dueAt, startedAt, endedAt: null, outcome: null, error: null }));
  return [...ended, ...running];
}
