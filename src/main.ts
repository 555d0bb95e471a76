import { enableCompileCache, flushCompileCache } from 'node:module';
import { cacheFolder } from './server/cache-folder.ts';

const [major] = process.versions.node.split('.').map(Number);
if (major === undefined || major < 24) {
  process.stderr.write(`Longhaul needs Node.js 24 or later; this is ${process.version}. Start it with \`npm start\`.\n`);
  process.exit(1);
}

// Without the cache, most of each start is spent on compiling two thousand modules.
enableCompileCache(cacheFolder);

/** One file for each command. */
const commands = new Map([
  ['serve', () => import('./cli/serve.ts')],
  ['migrate', () => import('./cli/migrate.ts')],
  ['check-ledger', () => import('./cli/check-ledger.ts')],
]);

const [name = 'serve', ...parameters] = process.argv.slice(2);
const command = commands.get(name);
if (command === undefined) {
  process.stderr.write(`There is no command ${JSON.stringify(name)}. Commands: ${[...commands.keys()].join(', ')}.\n`);
  process.exit(1);
}
const { run } = await command();
await run(parameters);
flushCompileCache();
