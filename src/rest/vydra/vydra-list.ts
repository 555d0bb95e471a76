import { z } from 'zod';
import { answer } from '../core/answer.ts';
import { listThrough } from '../core/dialect-list.ts';
import { integerText } from '../core/query-integer.ts';
import { RefusedError } from '../core/refusal.ts';
import { route } from '../core/call.ts';
import { phasesOf, projectItem, vydraItem, vydraStatuses } from './vydra-job.ts';

/** Rows that a page may skip: Postgres reads them all again for every page. */
const maxOffset = 100_000;

const query = z.object({
  limit: integerText(1, 100, 20).describe('Results per page.'),
  offset: integerText(0, Number.MAX_SAFE_INTEGER, 0).describe(
    `Results to leave out first. Past the end the page is empty; in a list of more than ${maxOffset} at most so many.`,
  ),
  status: z.enum(vydraStatuses).optional(),
});

const page = z.object({
  data: z.array(vydraItem),
  pagination: z.object({ limit: z.int(), offset: z.int(), count: z.int().describe('Results on this page.') }),
});

/** GET /api/v1/jobs: newest first. Pages by offset may repeat jobs while others are created; that is inherent. */
export const listRoute = route({
  kind: 'list',
  method: 'GET',
  path: '/api/v1/jobs',
  summary: 'List jobs, newest first',
  scope: 'READ',
  query,
  answers: { 200: { description: 'A page.', schema: page } },
  async handle(call) {
    const { limit, offset, status } = call.query;
    const phases = status === undefined ? undefined : phasesOf[status];
    const jobs =
      offset <= maxOffset
        ? await listThrough(call, { phases, offset, limit })
        : // A row behind the last offset that is read means that this one is not past the end.
          await listThrough(call, { phases, offset: maxOffset, limit: 1 });
    if (offset > maxOffset && jobs.length > 0) throw new RefusedError({ kind: 'INVALID_QUERY', issues: [tooDeep] });
    const at = call.services.clock.now();
    const data = jobs.map((job) => projectItem(job, call.services.links, at));
    return answer(200, { data, pagination: { limit, offset, count: data.length } } satisfies z.output<typeof page>);
  },
});

const tooDeep = {
  path: ['offset'],
  message: `at most ${maxOffset} results of this list can be left out; narrow it with status`,
};
