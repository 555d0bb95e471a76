import { fileURLToPath } from 'node:url';

/**
 * What a start would otherwise have to make anew. Beside the packages, where nobody else can put anything into it; where it
 * cannot be written, a start only takes longer.
 */
export const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/longhaul', import.meta.url));
