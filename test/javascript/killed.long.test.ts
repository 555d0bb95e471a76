import { expect, test, vi } from 'vitest';
import { createClient, type Job } from '../../clients/js/src/index.ts';
import { ways } from '../support/javascript-client.ts';
import { prepareInstallation } from '../support/process.ts';
import { Relay } from '../support/frozen-relay.ts';

test.each(ways)('over $over a server that is killed again and again, and a network that freezes, hide no end and make no second job', async ({ options }) => {
  const installation = await prepareInstallation();
  await using network = await Relay.listen();
  let server = await installation.start('api', { ROLE: 'all' });
  network.to(server.url);
  const client = createClient({ ...options, url: network.url, auth: installation.adminKey });
  const ends: Job[] = [];
  const watches: Promise<void>[] = [];
  const enough = new AbortController();
  const submitted = (async () => {
    while (!enough.signal.aborted) {
      const handle = await client.submit('demo', { seconds: 2 }, { tags: ['soak'] });
      watches.push((async () => {
        let version = 0;
        for await (const job of handle.updates()) {
          expect(job.version).toBeGreaterThan(version);
          ({ version } = job);
          if (job.finishedAt !== null) ends.push(job);
        }
      })());
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  for (let round = 0; round < 4; round += 1) {
    await vi.waitFor(() => expect(ends.length).toBeGreaterThan(round * 3), { timeout: 60_000 });
    server.kill('SIGKILL');
    await server.ended;
    server = await installation.start('api', { ROLE: 'all' });
    network.to(server.url);
  }
  network.freeze();
  await new Promise((resolve) => setTimeout(resolve, 30_000));
  network.thaw();
  enough.abort();
  await submitted;
  await Promise.all(watches);
  expect(ends.every(({ status }) => status === 'COMPLETED')).toBe(true);
  expect(new Set(ends.map(({ id }) => id)).size).toBe(watches.length);
  expect(await installation.query("SELECT count(*)::int AS jobs FROM job WHERE tags @> '{soak}'")).toEqual([{ jobs: watches.length }]);
}, 240_000);
