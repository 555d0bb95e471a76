import { enableCompileCache, flushCompileCache } from 'node:module';
import { cacheFolder } from './server/cache-folder.ts';

/*
 * `npm ci` runs this, so that a first start need not: it compiles the modules and makes the embedded database from which
 * each installation's own is copied.
 */
enableCompileCache(cacheFolder);
const { makeTemplate } = await import('./database/template.ts');
await Promise.all([import('./server/start.ts'), import('./server/app.ts'), import('./http/server.ts')]);
await makeTemplate(cacheFolder);
flushCompileCache();
