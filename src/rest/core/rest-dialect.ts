import type { DialectProfile } from './dialect-profile.ts';
import type { Route } from './call.ts';

/** One vendor's API. */
export interface RestDialect extends DialectProfile {
  routes: readonly Route[];
}
