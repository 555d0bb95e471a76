import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rivalClaimer, Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

/*
 * Claims under WORK_ALL see every workspace of the database, those of the other tests too: each test has a job type of
 * its own.
 */
let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

const input = { sourceUrl: 'https://example.com/a.mp4', theme: 'A lighthouse', targetLanguage: 'de' };

async function tenantsWithJobs(type: string, counts: readonly number[]): Promise<Tenant[]> {
  return Promise.all(
    counts.map(async (count) => {
      const tenant = await Tenant.in(longhaul);
      for (let left = count; left > 0; left -= 1_000) {
        await tenant.createAll(Array.from({ length: Math.min(left, 1_000) }, () => ({ type, input })));
      }
      return tenant;
    }),
  );
}

/** Claims under WORK_ALL, one after the other, by a process that has just started; gives whose jobs they were. */
function turnsOf(type: string): (limit: number) => Promise<string[]> {
  const claimer = rivalClaimer(longhaul);
  return async (limit) => {
    const started = await claimer.claim(null, { types: [type], limit, workerId: 'worker' });
    return started.map(({ job }) => job.workspaceId);
  };
}

test('ten jobs are not kept waiting by the ten thousand of another workspace', async () => {
  const [, small] = await tenantsWithJobs('preview', [10_000, 10]);
  const next = turnsOf('preview');
  const served: string[] = [];
  for (let claim = 0; claim < 20; claim += 1) served.push(...(await next(1)));
  expect(served.filter((id) => id === small?.id)).toHaveLength(10);
});

describe('five workspaces take turns', () => {
  const cases = [
    { limit: 1, type: 'analysis' },
    { limit: 7, type: 'export' },
  ];
  test.each(cases)('when every claim takes $limit', async ({ limit, type }) => {
    const tenants = await tenantsWithJobs(type, [20, 20, 20, 20, 20]);
    const next = turnsOf(type);
    const served = new Map(tenants.map(({ id }) => [id, 0]));
    for (let claims = 0; claims < 60 / limit; claims += 1) {
      const turns = await next(limit);
      expect(turns).toHaveLength(limit);
      for (const id of turns) served.set(id, (served.get(id) ?? 0) + 1);
      // Across claims too: nobody has had two turns more than another.
      const counts = [...served.values()];
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  test('of which none is given twice to one that has nothing left', async () => {
    const tenants = await tenantsWithJobs('comments', [1, 2, 3, 4, 5]);
    const next = turnsOf('comments');
    const served = [...(await next(5)), ...(await next(4)), ...(await next(3)), ...(await next(2)), ...(await next(1))];
    const counts = tenants.map(({ id }) => served.filter((turn) => turn === id).length);
    expect(counts).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(served.slice(0, 5)).size).toBe(5);
    expect(new Set(served.slice(5, 9)).size).toBe(4);
  });
});

test('a workspace at its limit loses its turn and keeps nobody waiting', async () => {
  const limited = await Tenant.in(longhaul, { concurrencyLimit: 1 });
  await limited.createAll([1, 2, 3].map(() => ({ type: 'translation', input })));
  const [free] = await tenantsWithJobs('translation', [3]);
  const turns = await turnsOf('translation')(10);
  expect(turns.filter((id) => id === limited.id)).toHaveLength(1);
  expect(turns.filter((id) => id === free?.id)).toHaveLength(3);
});

describe('three hundred workspaces with work that may not start', () => {
  test('do not keep a claim from its answer where their jobs are of other types', async () => {
    await pendingInManyWorkspaces('voiceover', 300);
    expect(await turnsOf('tool')(1)).toEqual([]);
  });

  test('do not hide the one whose job is of the type that is asked for', async () => {
    await pendingInManyWorkspaces('voiceover', 300);
    const [wanted] = await tenantsWithJobs('download', [2]);
    await pendingInManyWorkspaces('voiceover', 300);
    const next = turnsOf('download');
    expect([...(await next(1)), ...(await next(5))]).toEqual([wanted?.id, wanted?.id]);
  });
});

/** Workspaces with one waiting job each, made at once; nothing is asked of them but to stand in the line. */
async function pendingInManyWorkspaces(type: string, count: number): Promise<void> {
  await longhaul.services.database.hot.query(
    `WITH made AS (
       INSERT INTO workspace (id, name, webhook_secret) SELECT gen_random_uuid(), 'crowd', '' FROM generate_series(1, $2::int)
       RETURNING id
     )
     INSERT INTO job (id, workspace_id, type, input, max_attempts, credits_charged)
     SELECT gen_random_uuid(), id, $1, '{}', 1, 0 FROM made`,
    [type, count],
  );
}
