import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const [major] = process.versions.node.split('.').map(Number);
if (major === undefined || major < 24) {
  process.stderr.write(`Longhaul needs Node.js 24 or later; this is ${process.version}. Start it with \`npm start\`.\n`);
  process.exit(1);
}

// Two thousand modules take most of a later start to compile. Beside the packages, where nobody else can put anything
// into it; where it cannot be written, a start takes as long as it took before.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/longhaul', import.meta.url)));

const { run } = await import('./server/start.ts');
await run();
flushCompileCache();
