import { expect, test } from 'vitest';
import { readServer } from '../../src/database/connection/database-url.ts';
import { openServerDatabase } from '../../src/database/open.ts';
import { silentLog } from '../../src/log.ts';
import { entities } from '../../src/server/entities.ts';
import { eventually } from '../support/eventually.ts';
import { startLonghaul } from '../support/longhaul.ts';
import { createFaultProxy } from '../support/fault-proxy.ts';
import { makeOwnDatabase } from '../support/own-database.ts';
import { claim, submit } from '../support/steps.ts';

/** Issue 14: recovery without a restart. */
const recoveryMilliseconds = 15_000;

test('a process whose connections to Postgres all went silent is ready again within 15 seconds, and ends leases again', async () => {
  const own = await makeOwnDatabase();
  const proxy = await createFaultProxy(own.url);
  const longhaul = await startLonghaul({ DATABASE_URL: proxy.url });
  try {
    const { id: workspaceId } = await longhaul.workspace();
    const ready = async () => (await fetch(`${longhaul.url}/health/ready`)).status;
    // Several connections are open, and idle.
    const [job] = await Promise.all(Array.from({ length: 20 }, () => submit(longhaul, workspaceId)));
    if (job === undefined) throw new Error('no job was created');
    await claim(longhaul, job);
    expect(await ready()).toBe(200);

    proxy.mute();
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
    // Nor does a stop wait for connections that say nothing.
    proxy.mute();
    const stopBegan = performance.now();
    await longhaul.services.database.close();
    expect(performance.now() - stopBegan).toBeLessThan(4_000);
  } finally {
    await longhaul.stop();
  }
}, 90_000);

test.for(['sole', 'shared'] as const)('the connection that holds the process lock (%s) goes silent: the lock is taken again, and keeps others out', { timeout: 60_000 }, async (sharing) => {
  const own = await makeOwnDatabase();
  const proxy = await createFaultProxy(own.url);
  const evictions: Error[] = [];
  const open = (url: string, way: 'sole' | 'shared') =>
    openServerDatabase({
      entities,
      server: readServer(url, {}),
      poolSize: 2,
      sharing: way,
      log: silentLog,
      onEvicted: (reason) => evictions.push(reason),
    });
  const opened = await open(proxy.url, sharing);
  try {
    const holders = () => own.sql(`SELECT pid FROM pg_locks JOIN pg_database ON oid = database WHERE datname = '${own.name}' AND locktype = 'advisory' ORDER BY pid`);
    const [before] = await holders();
    proxy.mute();
    // The server does not know that the former connection is dead. A shared lock may be held beside it.
    await eventually(async () => {
      expect((await holders()).filter(({ pid }) => pid !== before?.['pid'])).toHaveLength(1);
      expect(opened.loops.map(({ isOverdue }) => isOverdue)).toEqual([false]);
    }, recoveryMilliseconds);
    await expect(open(own.url, 'sole')).rejects.toThrow(/process/);
    expect(evictions).toEqual([]);
  } finally {
    await opened.close();
  }
});
