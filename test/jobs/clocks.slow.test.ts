import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parseWork, workTopic } from '../../src/jobs/feed/announcer.ts';
import { grantCredits } from '../../src/workspaces/grant-credits.ts';
import { setClockApart } from '../support/clock.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { testFolder } from '../support/process.ts';
import { openSource } from '../support/source.ts';

const minutes = 60_000;

/** Leases of a second. */
async function startWithShortLeases(): Promise<Longhaul> {
  const types = join(await testFolder(), 'types.json');
  const download = { name: 'download', credits: 1, leaseSeconds: 1, maxAttempts: 1 };
  await writeFile(types, JSON.stringify([download]));
  const longhaul = await startLonghaul({ ROLE: 'all', OUTBOUND_ALLOW: '127.0.0.1', JOB_TYPES: types });
  onTestFinished(() => longhaul.stop());
  return longhaul;
}

test.each([-2, 2])('a built-in worker whose clock is %i minutes off keeps its lease', async (off) => {
  setClockApart(off * minutes);
  const longhaul = await startWithShortLeases();
  const tenant = await Tenant.in(longhaul);
  const source = await openSource(1);
  const { id } = await tenant.create({ type: 'download', input: { sourceUrl: source.url } });
  const response = await source.answer();
  const { hot } = longhaul.services.database;
  await vi.waitFor(
    async () => {
      const sql = `SELECT FROM lease WHERE job_id = $1 AND expires_at > started_at + interval '3 s'`;
      expect(await hot.query(sql, [id])).toHaveLength(1);
    },
    { timeout: 5_000, interval: 100 },
  );
  response.end('x');
  await eventually(async () => expect(await tenant.read(id)).toMatchObject({ status: 'COMPLETED', attempt: 1 }));
});

test.each([-2, 2])('waiting claims learn of a new job from a process whose clock is %i minutes off', async (off) => {
  setClockApart(off * minutes);
  const longhaul = await startLonghaul();
  onTestFinished(() => longhaul.stop());
  const told: string[] = [];
  await longhaul.services.bus.subscribe(workTopic, (message) => told.push(...parseWork(message).map(({ type }) => type)));
  const tenant = await Tenant.in(longhaul);
  const later = new Date(Date.now() - off * minutes + minutes);
  await tenant.create({ type: 'preview', runAt: later });
  await tenant.create();
  await eventually(() => expect(told).toContain('fingerprint'));
  expect(told).not.toContain('preview');
});

const days = 24 * 60 * minutes;

test.each([-2, 2])('what is kept for a day is kept so by a process whose clock is %i days off', async (off) => {
  setClockApart(off * days);
  const longhaul = await startLonghaul({ ROLE: 'all', OUTBOUND_ALLOW: 'localhost' });
  onTestFinished(() => longhaul.stop());
  const { database } = longhaul.services;
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const tenant = Tenant.of(longhaul, workspace.id);
  const source = await openSource(1);
  source.sendEach(Buffer.from('x'));
  const asked = { type: 'download', input: { sourceUrl: source.url }, idempotencyKey: 'once' };
  const { id } = await tenant.create(asked);
  const grant = { workspaceId: tenant.id, amount: 5, idempotencyKey: 'once' };
  const { credits } = await grantCredits(database, grant);
  await vi.waitFor(async () => expect(await tenant.read(id)).toMatchObject({ status: 'COMPLETED' }), { timeout: 5_000 });
  const link = async () => {
    const { data } = await longhaul.graphql(`{ job(id: "${id}") { downloadUrl } }`, {}, key);
    return JSON.stringify(data).match(/http[^"]*/)?.[0] ?? 'none';
  };
  const url = await link();
  expect((await fetch(url)).status).toBe(200);

  await longhaul.sweeper.keepHouse();
  expect((await fetch(url)).status).toBe(200);
  expect(await tenant.create(asked)).toMatchObject({ id });
  expect(await grantCredits(database, grant)).toMatchObject({ credits });

  for (const [table, column] of [['artifact', 'expires_at'], ['job', 'artifact_expires_at'], ['idempotency_key', 'created_at']]) {
    await database.hot.query(`UPDATE ${table} SET ${column} = ${column} - interval '1 day'`, []);
  }
  expect((await fetch(url)).status).toBe(410);
  expect(await link()).toBe('none');
  expect(await grantCredits(database, grant)).toMatchObject({ credits: credits + grant.amount });
  await longhaul.sweeper.keepHouse();
  expect((await fetch(url)).status).toBe(404);
});

test.each([-8, 8])('a cursor is good for seven days at a process whose clock is %i days off', async (off) => {
  setClockApart(off * days);
  const longhaul = await startLonghaul();
  onTestFinished(() => longhaul.stop());
  const { id: workspaceId } = await longhaul.workspace();
  const { jobs } = longhaul.services;
  const from = await jobs.presentMoment();
  const resume = async (age: number) => {
    const after = { from: { ...from, at: from.at - age * days } };
    const watch = jobs.updates({ workspaceId, filter: {}, maySee: () => true, after, signal: null });
    await watch.started.finally(() => watch.return?.());
  };
  await resume(6.9);
  await expect(resume(7.1)).rejects.toThrow('older than 7 days');
});
