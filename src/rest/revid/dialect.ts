import type { RestDialect } from '../dialect.ts';
import { authenticationRoute } from './authentication.ts';
import { refuse } from './refuse.ts';
import { statusRoutes } from './status.ts';
import { statusesRoutes } from './statuses.ts';
import { submissionRoutes } from './submission.ts';

/** DIALECTS.md, section 6. */
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
