import type { RestDialect } from '../core/rest-dialect.ts';
import { statusRoute } from '../core/job-status.ts';
import { projectVideoConduit, videoConduitJob } from './videoconduit-job.ts';
import { listRoute } from './videoconduit-list.ts';
import { refuse } from './videoconduit-refusals.ts';
import { submissionRoutes } from './videoconduit-submission.ts';
import { videoConduitTypes } from './videoconduit-types.ts';

/** VideoConduit's API: see src/rest/README.md. */
export const videoConduit: RestDialect = {
  name: 'VIDEOCONDUIT',
  prefix: '/videoconduit',
  credential: 'bearer',
  keyPrefixes: ['vc_'],
  disputedPaths: [],
  nativeTypes: videoConduitTypes,
  showsRateLimit: true,
  refuse,
  routes: [
    statusRoute({
      path: '/v1/jobs/{job_id}',
      summary: 'Get the status of a job',
      schema: videoConduitJob,
      project: projectVideoConduit,
    }),
    listRoute,
    ...submissionRoutes,
  ],
};
