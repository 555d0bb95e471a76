import { defineConfig } from 'vitest/config';
import { reachableServers } from './test/support/servers.ts';

/*
 * Units run once. Scenarios run embedded (PGlite, bus in memory) and, where servers are reachable, on Postgres and Redis
 * too; processes start real ones and need the servers. CI never leaves anything out.
 */
export default defineConfig(async () => {
  const { missing } = await reachableServers();
  if (missing.length > 0) {
    const reason = `not reachable: ${missing.join(', ')}`;
    if (process.env['CI'] === 'true') throw new Error(`CI runs everything, but ${reason}. Start them.`);
    process.stderr.write(`\n  Left out: the scenarios on Postgres and Redis, and those of several processes (${reason}).\n\n`);
  } else {
    process.stderr.write('\n  Running: units, the scenarios embedded and on Postgres and Redis, and those of several processes.\n\n');
  }
  const withServers = [
    backend('servers'),
    {
      test: {
        name: 'processes',
        include: ['test/processes/**/*.test.ts'],
        env: { TEST_BACKEND: 'servers' },
        globalSetup: ['./test/support/template-servers.ts'],
      },
    },
  ];
  return {
    // The copy that Node takes, and with it every package: of graphql there must be one, not a second as ES modules.
    resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
    test: {
      testTimeout: 30_000,
      hookTimeout: 60_000,
      projects: [
        { test: { name: 'units', include: ['test/units/**/*.test.ts'] } },
        backend('embedded'),
        ...(missing.length > 0 ? [] : withServers),
      ].map((project) => ({ extends: true, ...project })),
    },
  };
});

/** The scenarios on one backend. */
function backend(name: string) {
  return {
    test: {
      name,
      include: ['test/scenarios/**/*.test.ts'],
      env: { TEST_BACKEND: name },
      globalSetup: [`./test/support/template-${name}.ts`],
    },
  };
}
