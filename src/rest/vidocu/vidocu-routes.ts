import type { RestDialect } from '../core/rest-dialect.ts';
import { statusRoute } from '../core/job-status.ts';
import { projectVidocu, vidocuJob } from './vidocu-job.ts';
import { executeRoute, operationRoutes } from './video-operations.ts';
import { refuse } from './vidocu-refusals.ts';

/** Vidocu's API: see src/rest/README.md. */
export const vidocu: RestDialect = {
  name: 'VIDOCU',
  prefix: '/vidocu',
  credential: 'bearer',
  keyPrefixes: ['vdo_live_', 'vdo_oat_'],
  // It has no list of jobs; its clients are told so in its own words.
  disputedPaths: ['/v1/jobs'],
  nativeTypes: [],
  showsRateLimit: false,
  refuse,
  routes: [
    statusRoute({
      path: '/v1/jobs/{id}',
      summary: 'Get the status of a job',
      schema: vidocuJob,
      project: projectVidocu,
    }),
    ...operationRoutes,
    executeRoute,
  ],
};
