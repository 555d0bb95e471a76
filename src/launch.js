#!/usr/bin/env node
/*
 * `longhaul`, on whatever Node finds it: on one that is too old it runs again, on the Node that `npm ci` brought. This is JavaScript:
 * an old Node reads no TypeScript, and a new one reads it in a third of the time once the compile cache is on.
 */
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

await (Number(process.versions.node.split('.')[0]) >= 24 ? run() : runAgain());

function run() {
  // npx passes SIGTERM and SIGINT on, and dies of other signals without a word to its child.
  if (process.env.npm_command === 'exec') process.env.LAUNCHER_PID ??= String(process.ppid);
  // As server/cache-folder.ts says.
  nodeModule.enableCompileCache(pathOf('../node_modules/.cache/longhaul'));
  return import('./main.ts');
}

async function runAgain() {
  const { existsSync } = await import('node:fs');
  const brought = pathOf('../node_modules/.bin/node');
  if (!existsSync(brought)) {
    process.stderr.write(`Longhaul needs Node.js 24 or later; this is ${process.version}. Run \`npm ci\` in ${pathOf('..')}, which brings one, or install it.\n`);
    process.exit(1);
  }
  const { spawn } = await import('node:child_process');
  const env = { ...process.env, LAUNCHER_PID: process.env.LAUNCHER_PID ?? String(process.pid) };
  const child = spawn(brought, [pathOf('launch.js'), ...process.argv.slice(2)], { stdio: 'inherit', env });
  // A terminal signals both, so that the child gets SIGINT twice: it takes them for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function pathOf(relative) {
  return fileURLToPath(new URL(relative, import.meta.url));
}
