import { enableCompileCache, flushCompileCache } from 'node:module';
import { cacheFolder } from './server/cache-folder.ts';

/*
 * Runs after `npm ci`, to speed up the first start, and builds the page. It compiles the modules into the cache, and makes the template
 * that new embedded databases are copied from.
 */
enableCompileCache(cacheFolder);
const { makeTemplate } = await import('./database/template.ts');
const { entities } = await import('./server/entities.ts');
await Promise.all([import('./cli/command-line.ts'), import('./cli/serve.ts'), import('./server/app.ts'), import('./http/server.ts')]);
await makeTemplate(cacheFolder, entities);
flushCompileCache();
// Last: a page that cannot be built leaves the rest.
await import('./dashboard/prepare.ts');
