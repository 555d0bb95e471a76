import { type JobRequest } from '../../src/jobs/create/job-request.ts';
import { toGlobalId } from '../../src/graphql/global-id.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { encodeLeaseToken } from '../../src/jobs/claim/lease-token.ts';
import type { Longhaul } from './longhaul.ts';

/** Creates a PENDING job in a workspace. Default type: `comments`. */
export function submit({ services }: Longhaul, workspaceId: string, request: Partial<JobRequest> = {}): Promise<Job> {
  const asked = { type: 'comments', input: { sourceUrl: 'https://example.com/video.mp4' }, ...request };
  return services.jobs.create(workspaceId, asked, { dialect: 'NATIVE' });
}

/** Claims this job and returns the token of the attempt. */
export async function claim({ services }: Longhaul, { id, workspaceId, type }: Job, workerId = 'tester'): Promise<string> {
  const [started] = await services.jobs.claim(workspaceId, { types: [type], jobIds: [id], workerId });
  if (started === undefined) throw new Error('the job could not be claimed');
  return encodeLeaseToken({ jobId: id, token: started.token });
}

/** The job's GraphQL id. */
export function globalId({ id }: Job): string {
  return toGlobalId('Job', id);
}
