import { z } from 'zod';
import { NotFoundError } from '../../errors.ts';
import { answer } from '../core/answer.ts';
import { route } from '../core/call.ts';
import { visibleJob } from '../core/job-status.ts';

const cancelled = z.object({
  success: z.literal(true),
  message: z.literal('Job cancelled'),
  refund: z.object({ applied: z.boolean(), creditsRefunded: z.int() }),
});

/** DELETE /api/v1/jobs/{id}. Of many at once, and of a completion at the same moment, one wins. */
export const cancellationRoute = route({
  kind: 'cancel',
  method: 'DELETE',
  path: '/api/v1/jobs/{id}',
  summary: 'Cancel a job',
  scope: 'WRITE',
  answers: { 200: { description: 'The job was cancelled, and what it cost was given back.', schema: cancelled } },
  async handle({ services, viewer, param }) {
    const { jobs } = services;
    const uuid = await jobs.ids.uuidOf(viewer.workspaceId, param);
    if (uuid === null) throw new NotFoundError('Job');
    if (viewer.restriction !== null) visibleJob(viewer, await jobs.find(viewer.workspaceId, uuid));
    const { creditsRefunded } = await jobs.cancel(viewer.workspaceId, uuid);
    return answer(200, {
      success: true,
      message: 'Job cancelled',
      refund: { applied: creditsRefunded > 0, creditsRefunded },
    } satisfies z.output<typeof cancelled>);
  },
});
