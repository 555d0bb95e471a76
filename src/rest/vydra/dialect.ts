import type { RestDialect } from '../dialect.ts';
import { statusRoute } from '../job-status.ts';
import { cancellationRoute } from './cancellation.ts';
import { projectVydra, vydraJob } from './job.ts';
import { listRoute } from './list.ts';
import { refuse } from './refuse.ts';
import { submissionRoute } from './submission.ts';

/** DIALECTS.md, section 5. */
export const vydra: RestDialect = {
  name: 'VYDRA',
  prefix: '/vydra',
  credential: 'bearer',
  keyPrefixes: ['vydra_live_'],
  disputedPaths: [],
  nativeTypes: ['house-timelapse', 'renovation-timelapse'],
  showsRateLimit: true,
  refuse,
  routes: [
    submissionRoute,
    listRoute,
    statusRoute({
      path: '/api/v1/jobs/{id}',
      summary: 'Get the status of a job',
      schema: vydraJob,
      project: projectVydra,
    }),
    cancellationRoute,
  ],
};
