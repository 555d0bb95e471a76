import type { RestDialect } from '../core/rest-dialect.ts';
import { statusRoute } from '../core/job-status.ts';
import { cancellationRoute } from './vydra-cancellation.ts';
import { projectVydra, vydraJob } from './vydra-job.ts';
import { listRoute } from './vydra-list.ts';
import { refuse } from './vydra-refusals.ts';
import { submissionRoute } from './vydra-submission.ts';

/** Vydra's API: see src/rest/README.md. */
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
