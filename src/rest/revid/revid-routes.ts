import type { RestDialect } from '../core/rest-dialect.ts';
import { authenticationRoute } from './key-check.ts';
import { refuse } from './revid-refusals.ts';
import { statusRoutes } from './revid-status.ts';
import { statusesRoutes } from './revid-statuses.ts';
import { submissionRoutes } from './revid-submission.ts';

/** RevidAPI's API: see src/rest/README.md. */
export const revid: RestDialect = {
  name: 'REVID',
  prefix: '/revid',
  credential: 'x-api-key',
  keyPrefixes: [],
  disputedPaths: [],
  nativeTypes: ['media/transcribe'],
  showsRateLimit: false,
  refuse,
  routes: [...statusRoutes, ...statusesRoutes, ...submissionRoutes, authenticationRoute],
};
