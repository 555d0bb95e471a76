import { enableCompileCache, flushCompileCache } from 'node:module';
import { cacheFolder } from './server/cache-folder.ts';

const [major] = process.versions.node.split('.').map(Number);
if (major === undefined || major < 24) {
  process.stderr.write(`Longhaul needs Node.js 24 or later; this is ${process.version}. Start it with \`npm start\`.\n`);
  process.exit(1);
}

// Without the cache, most of each start is spent on compiling two thousand modules.
enableCompileCache(cacheFolder);

const { runCommandLine } = await import('./cli/command-line.ts');
await runCommandLine(process.argv.slice(2));
flushCompileCache();
