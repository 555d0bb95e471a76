import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { reachableServers } from './test/support/servers.ts';

/*
 * A test file's name says where it runs; test/README.md explains the five projects. Those on Postgres and Redis are left
 * out where no servers are reachable, except on CI.
 */
export default defineConfig(async () => {
  const { missing } = await reachableServers();
  if (missing.length > 0) {
    const reason = `not reachable: ${missing.join(', ')}`;
    if (process.env['CI'] === 'true') throw new Error(`CI runs everything, but ${reason}. Start them.`);
    process.stderr.write(`\n  Left out: the scenarios on Postgres and Redis (${reason}).\n\n`);
  }
  return {
    // The copy that Node takes, and with it every package: of graphql there must be one, not a second as ES modules.
    resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
    test: {
      // For what hangs, and no measure: on a busy machine a process may stand still for seconds, and wait 20 s for each fact.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      teardownTimeout: 60_000,
      // Vitest's own is a second: on a busy machine that is what a socket may take to open.
      expect: { poll: { timeout: 20_000 } },
      // On two cores: a worker computes for four tenths of its time, and waits for sockets, disks and processes else.
      maxWorkers: Math.max(4, availableParallelism() - 1),
      projects: [
        on('embedded', 'once', [only('once')]),
        on('embedded', 'embedded', ['test/*/*.test.ts'], ['once', 'servers', 'slow', 'long'].map(only)),
        ...(missing.length > 0
          ? []
          : [
              on('servers', 'servers', ['test/*/*.test.ts'], ['once', 'slow', 'long'].map(only)),
              on('servers', 'slow', [only('slow')]),
              on('servers', 'long', [only('long')]),
            ]),
      ].map((project) => ({ extends: true, ...project })),
    },
  };
});

/** The files that say that they run there alone. */
function only(where: string): string {
  return `test/*/*.${where}.test.ts`;
}

function on(backend: 'embedded' | 'servers', name: string, include: string[], exclude: string[] = []) {
  return {
    test: {
      name,
      include,
      exclude,
      // One module graph and one Longhaul for each worker: loading and starting them takes longer than most files' tests.
      // What is long counts objects of the whole process, and gets processes of its own.
      isolate: name === 'slow' || name === 'long',
      // And it measures: how fast a process answers under attack, how soon a watcher hears of an end.
      fileParallelism: name !== 'long',
      // Browsers, encoders and processes that start compute by themselves.
      ...(name === 'slow' && { maxWorkers: 2, sequence: { groupOrder: 1 } }),
      environment: './test/support/environment.ts',
      env: { TEST_BACKEND: backend },
      globalSetup: [`./test/support/template-${backend}.ts`],
    },
  };
}
