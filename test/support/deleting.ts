import { cancelLocked } from '../../src/jobs/end/cancel.ts';
import { jobTopic } from '../../src/jobs/feed/announcer.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { findJob } from '../../src/jobs/read/find.ts';
import { deleteEnded } from '../../src/jobs/retention/delete-jobs.ts';
import { contextOf } from './domain.ts';
import type { Longhaul } from './longhaul.ts';

/**
 * Ends a job and deletes it, and wakes those who watch it only afterwards: as if they had been cut off from the bus, or stood
 * still, in between. One transaction does both, so that no poll comes between.
 */
export async function endUnseen(longhaul: Longhaul, { id, workspaceId }: Pick<Job, 'id' | 'workspaceId'>): Promise<void> {
  const { bus, database } = longhaul.services;
  await database.transaction(async (transaction) => {
    const job = await findJob(transaction, workspaceId, id);
    if (job === null) throw new Error('The job is not there.');
    await cancelLocked(contextOf(longhaul), transaction, { workspaceId, jobs: [job], reason: null });
    await deleteEnded(transaction, [id]);
  });
  bus.publish(jobTopic(id), '');
}
