import type { RestDialect } from '../dialect.ts';
import { statusRoute } from '../job-status.ts';
import { projectVideoConduit, videoConduitJob } from './job.ts';
import { listRoute } from './list.ts';
import { refuse } from './refuse.ts';
import { submissionRoutes } from './submission.ts';
import { videoConduitTypes } from './types.ts';

/** DIALECTS.md, section 4. */
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
