import { z } from 'zod';
import { phaseOf } from '../../jobs/model/state-machine.ts';
import { visible } from '../../workspaces/viewer.ts';
import { answer } from '../core/answer.ts';
import { type Route, route } from '../core/call.ts';
import { answeredAtOnce, envelope } from './envelope.ts';
import { revidStatus, revidStatuses } from './revid-job.ts';
import { numberFrom, object } from './python.ts';
import { queueLength } from './queue-length.ts';
import { reference } from './caller-reference.ts';

const endpoint = '/v1/toolkit/jobs/status';

/** A year: longer than changes are kept, and few enough seconds for Postgres. */
const mostSeconds = 366 * 86_400;

const body = object({
  since_seconds: numberFrom(0).default(600).describe('How long ago the last change of a status may be.'),
  id: reference,
});

const statuses = z
  .record(z.uuid(), z.enum(revidStatuses))
  .describe('By job, the one that changed last first; at most 1,000.');

/** The toolkit's name for it, and RevidAPI's. */
const paths = [endpoint, '/paid/get/all/jobs/id/status'];

/** POST /v1/toolkit/jobs/status. */
export const statusesRoutes: readonly Route[] = paths.map((path) =>
  route({
    kind: 'list',
    method: 'POST',
    path,
    summary: 'Get the statuses of the jobs that changed lately',
    scope: 'READ',
    body,
    emptyBody: {},
    answers: { 200: { description: 'The statuses.', schema: envelope.extend({ response: statuses }) } },
    async handle(call) {
      const startedAt = performance.now();
      const { services, viewer, dialect } = call;
      const seen = visible(viewer, {});
      const native = { dialect: dialect.name, types: dialect.nativeTypes };
      const seconds = Math.min(call.body.since_seconds, mostSeconds);
      const [jobs, waiting] = await Promise.all([
        services.jobs.recentStatuses(viewer.workspaceId, seconds, { native, ...seen }),
        queueLength(services.jobs, viewer),
      ]);
      const response = Object.fromEntries(jobs.map((job) => [job.id, revidStatus(phaseOf(job.status, job.attempt))]));
      const about = { endpoint, id: call.body.id ?? null, response };
      return answer(200, answeredAtOnce(about, { startedAt, queueLength: waiting }));
    },
  }),
);
