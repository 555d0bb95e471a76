import type { RestDialect } from './dialect.ts';
import { revid } from './revid/dialect.ts';
import { videoConduit } from './videoconduit/dialect.ts';
import { vidocu } from './vidocu/dialect.ts';
import { vydra } from './vydra/dialect.ts';

/** Every dialect that is spoken. */
export const dialects: readonly RestDialect[] = [vidocu, videoConduit, vydra, revid];
