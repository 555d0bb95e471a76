import type { RestDialect } from './core/rest-dialect.ts';
import { revid } from './revid/revid-routes.ts';
import { videoConduit } from './videoconduit/videoconduit-routes.ts';
import { vidocu } from './vidocu/vidocu-routes.ts';
import { vydra } from './vydra/vydra-routes.ts';

/** Every dialect that is spoken. */
export const dialects: readonly RestDialect[] = [vidocu, videoConduit, vydra, revid];
