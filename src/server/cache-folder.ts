import { fileURLToPath } from 'node:url';

/**
 * Caches what would slow down each start. It is inside node_modules, where no other user can plant files. If it cannot be
 * written, starts only take longer.
 */
export const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/longhaul', import.meta.url));
