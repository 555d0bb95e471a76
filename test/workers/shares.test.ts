import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Shares } from '../../src/worker/shares.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { openSource } from '../support/source.ts';

/** Its files are synced to a disk that others may keep busy. */
const patient = { timeout: 40_000 } as const;

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ ROLE: 'all', OUTBOUND_ALLOW: 'localhost', WORKER_CONCURRENCY: '4' });
});
afterAll(() => longhaul.stop());

async function statuses(tenant: Tenant): Promise<Record<string, number>> {
  const rows = await longhaul.services.database.hot.query<{ status: string; jobs: number }>(
    'SELECT status, count(*)::int AS jobs FROM job WHERE workspace_id = $1 GROUP BY 1 ORDER BY 1',
    [tenant.id],
  );
  return Object.fromEntries(rows.map(({ status, jobs }) => [status, jobs]));
}

function downloads(tenant: Tenant, url: string, jobs: number) {
  return tenant.createAll(Array.from({ length: jobs }, () => ({ type: 'download', input: { sourceUrl: url } })));
}

test("one workspace's stalled sources hold every slot until another's job waits: that runs at once, and what was begun last is handed back without counting", async () => {
  const [greedy, other] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  const stalled = await openSource(1_000);
  await downloads(greedy, stalled.url, 5);
  await vi.waitFor(async () => expect(await statuses(greedy)).toEqual({ PENDING: 1, RUNNING: 4 }), patient);

  const content = randomBytes(1_000);
  const source = await openSource(content.length);
  source.sendEach(content);
  await downloads(other, source.url, 3);
  await vi.waitFor(async () => expect(await statuses(other)).toEqual({ COMPLETED: 3 }), patient);
  // Others have waited, so it gets no more than its share for a while.
  await vi.waitFor(async () => expect(await statuses(greedy)).toMatchObject({ RUNNING: expect.toSatisfy((jobs: number) => jobs === 2 || jobs === 3) }), patient);
  const ended = await longhaul.services.database.hot.query<{ outcome: string; failed: number }>(
    `SELECT job_attempt.outcome, job.failed_attempts AS failed FROM job_attempt JOIN job ON job.id = job_attempt.job_id WHERE job.workspace_id = $1 AND outcome IS NOT NULL`,
    [greedy.id],
  );
  expect(ended.length).toBeGreaterThan(0);
  for (const attempt of ended) expect(attempt).toEqual({ outcome: 'RELEASED', failed: 0 });
}, 120_000);

/** Attempts of these workspaces begin. Returns those that have given way. */
function held(shares: Shares, ...workspaces: string[]): string[] {
  const gone: string[] = [];
  for (const [index, workspaceId] of workspaces.entries()) shares.began({ workspaceId, giveWay: () => gone.push(`${workspaceId}${index}`) });
  return gone;
}

describe('the shares of a worker with four slots', () => {
  test('are two slots for each workspace while others wait', () => {
    const shares = new Shares(4);
    held(shares, 'a');
    expect([shares.satisfied, shares.room, shares.isUneven]).toEqual([[], 1, false]);
    held(shares, 'a', 'b');
    expect([shares.satisfied, shares.room, shares.isUneven]).toEqual([['a'], 1, false]);
    held(shares, 'a');
    expect([shares.satisfied, shares.isUneven]).toEqual([['a'], true]);
  });

  test('give way with what was begun last by who has more, down to the share', () => {
    const shares = new Shares(4);
    const gone = held(shares, 'a', 'b', 'a', 'a', 'a');
    expect(shares.contended).toBe(0);
    shares.giveWay();
    shares.giveWay();
    shares.giveWay();
    expect(gone).toEqual(['a4', 'a3']);
    expect(shares.contended).toBeGreaterThan(0);
  });

  test('of one slot alone are that slot: nothing gives way', () => {
    const shares = new Shares(1);
    held(shares, 'a');
    expect([shares.share, shares.isUneven]).toEqual([1, false]);
  });
});
