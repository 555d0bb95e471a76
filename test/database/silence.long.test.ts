import { expect, test } from 'vitest';
import { startLonghaul } from '../support/longhaul.ts';
import { makeOwnDatabase } from '../support/own-database.ts';
import { eventually } from '../support/receiver.ts';
import { createSilentProxy } from '../support/silent-proxy.ts';
import { claim, submit } from '../support/steps.ts';

/** Issue 14: recovery without a restart. */
const recoveryMilliseconds = 15_000;

test('a process whose connections to Postgres all went silent is ready again within 15 seconds, and ends leases again', async () => {
  const own = await makeOwnDatabase();
  const proxy = await createSilentProxy(own.url);
  // The proxy drops TLS as well, but is quicker without.
  const longhaul = await startLonghaul({ DATABASE_URL: `${proxy.url}?sslmode=disable` });
  try {
    const { id: workspaceId } = await longhaul.workspace();
    const ready = async () => (await fetch(`${longhaul.url}/health/ready`)).status;
    // Several connections are open, and idle.
    const [job] = await Promise.all(Array.from({ length: 20 }, () => submit(longhaul, workspaceId)));
    if (job === undefined) throw new Error('no job was created');
    await claim(longhaul, job);
    expect(await ready()).toBe(200);

    proxy.fallSilent();
    const began = performance.now();
    expect(await ready()).toBe(503);
    expect(performance.now() - began).toBeLessThan(2_000);
    await own.sql(`UPDATE lease SET expires_at = now() - interval '1 s'`);

    await eventually(async () => expect(await ready()).toBe(200), recoveryMilliseconds);
    await eventually(async () => {
      const [row] = await own.sql(`SELECT status FROM job WHERE id = '${job.id}'`);
      expect(row).toEqual({ status: 'PENDING' });
    }, recoveryMilliseconds);
    expect(performance.now() - began).toBeLessThan(recoveryMilliseconds);
    expect(await (await fetch(`${longhaul.url}/health`)).text()).toContain('"overdue":[]');
  } finally {
    await longhaul.stop();
  }
}, 90_000);
