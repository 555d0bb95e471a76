import { type Actor, byNobody, record } from '../../workspaces/audit/record.ts';
import { NotFoundError } from '../../errors.ts';
import type { JobsContext } from '../model/context.ts';
import type { JobType } from '../types/job-type.ts';
import { anyWorkspace } from '../feed/announcer.ts';

/**
 * Lets the jobs of a type wait, in every workspace, or lets them go on. What runs is not touched; attempts that are being
 * claimed at this moment still start.
 *
 * @throws NotFoundError
 */
export async function pauseType({ database, types, pauses, announcer }: JobsContext, name: string, paused: boolean, by: Actor = byNobody): Promise<JobType> {
  const type = types.get(name);
  if (type === undefined) throw new NotFoundError('Job type');
  await database.transaction(async (transaction) => {
    await transaction.query(
      paused ? 'INSERT INTO paused_job_type (name) VALUES ($1) ON CONFLICT DO NOTHING' : 'DELETE FROM paused_job_type WHERE name = $1',
      [name],
    );
    // It concerns every workspace, and stands in that of the administrators.
    await record(transaction, { workspaceId: null, action: 'job_type.update', by, details: { name, paused } });
  });
  await pauses.changed();
  if (!paused) announcer.workAvailable({ workspaceId: anyWorkspace, type: name });
  return type;
}
