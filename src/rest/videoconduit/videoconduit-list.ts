import { z } from 'zod';
import { answer } from '../core/answer.ts';
import { listThrough } from '../core/dialect-list.ts';
import { integerText } from '../core/query-integer.ts';
import { RefusedError } from '../core/refusal.ts';
import { route } from '../core/call.ts';
import { phasesOf, projectItem, videoConduitItem, videoConduitStatuses } from './videoconduit-job.ts';
import { videoConduitTypes } from './videoconduit-types.ts';

/** The list that the cursors belong to. Cursors of other lists are refused. */
const cursorList = 'videoconduit';

const query = z.object({
  cursor: z.string().optional().describe('next_cursor of an earlier answer; empty or absent for the first page.'),
  limit: integerText(1, 100, 20).describe('Results per page.'),
  status: z.enum(videoConduitStatuses).optional(),
  job_type: z.enum(videoConduitTypes).optional(),
});

const page = z.object({
  items: z.array(videoConduitItem),
  next_cursor: z.string().nullable(),
  has_more: z.boolean(),
});

/** GET /v1/jobs: newest first. A walk shows every job that was there at its start exactly once. */
export const listRoute = route({
  kind: 'list',
  method: 'GET',
  path: '/v1/jobs',
  summary: 'List jobs, newest first',
  scope: 'READ',
  query,
  answers: { 200: { description: 'A page.', schema: page } },
  async handle(call) {
    const { cursors } = call.services;
    const { cursor = '', limit, status, job_type } = call.query;
    const below = cursor === '' ? null : cursors.decode(cursorList, cursor);
    if (cursor !== '' && below === null) throw new RefusedError({ kind: 'INVALID_QUERY', issues: [unreadableCursor] });
    const jobs = await listThrough(call, {
      phases: status === undefined ? undefined : phasesOf[status],
      types: job_type === undefined ? undefined : [job_type],
      below,
      // One more than is shown tells whether there is more.
      limit: limit + 1,
    });
    const shown = jobs.slice(0, limit);
    const last = jobs.length > limit ? shown.at(-1) : undefined;
    return answer(200, {
      items: shown.map(projectItem),
      next_cursor: last === undefined ? null : cursors.encode(cursorList, last.id),
      has_more: last !== undefined,
    } satisfies z.output<typeof page>);
  },
});

const unreadableCursor = { path: ['cursor'], message: 'is no next_cursor of this list; begin again without one' };
