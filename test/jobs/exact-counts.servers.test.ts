import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Jobs } from '../../src/jobs/jobs.ts';
import { contextOf, Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { observed } from '../support/observed-database.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ RATE_LIMIT: '2' });
});
afterAll(() => longhaul.stop());

test("one workspace's exact counts run one at a time, and another's does not wait for all of them", async () => {
  const [many, one] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  const begun: unknown[] = [];
  let underWay = 0;
  let most = 0;
  const database = observed(
    longhaul.services.database,
    () => void (underWay -= 1),
    ({ parameters }) => {
      begun.push(parameters[0]);
      underWay += 1;
      most = Math.max(most, underWay);
    },
  );
  const jobs = new Jobs({ ...contextOf(longhaul), ...longhaul.services, database, idForms: [], builtIns: { types: new Set(), missing: new Map() }, removeFile: () => Promise.resolve(), retentionDays: 0 });
  onTestFinished(() => jobs.stop());
  const counts = [...Array.from({ length: 50 }, () => jobs.counting.exactly(many.id, {})), jobs.counting.exactly(one.id, {})];
  await Promise.all(counts);
  // One was under way, and one was next.
  expect(begun.indexOf(one.id)).toBeLessThanOrEqual(2);
  expect(most).toBe(1);
});

test('more of them than may wait are refused', async () => {
  const tenant = await Tenant.in(longhaul);
  const counts = Array.from({ length: 60 }, () => longhaul.services.jobs.counting.exactly(tenant.id, {}));
  const results = await Promise.allSettled(counts);
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(refused).toHaveLength(9);
  for (const reason of refused) expect(reason).toMatchObject({ code: 'RATE_LIMITED' });
});

test('what an exact count takes is taken from the rate limit of its key, and of no other', async () => {
  const workspace = await longhaul.workspace();
  await longhaul.fill(
    `INSERT INTO job (id, workspace_id, type, status, input, max_attempts, credits_charged)
     SELECT lpad(to_hex(n), 32, '0')::uuid, $1, 'fingerprint', 'COMPLETED', '{}', 1, 0 FROM generate_series(1, 100000) AS n`,
    [workspace.id],
  );
  const [key, other] = [await workspace.key(), await workspace.key()];
  const count = (by: string) => longhaul.graphql('{ jobs(first: 1) { totalCount } }', {}, by);
  expect(await count(key)).toMatchObject({ status: 200, data: { jobs: { totalCount: 100_000 } } });
  // The limit is of two requests, and this is the second.
  expect(await count(key)).toMatchObject({ status: 429, errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
  expect(await count(other)).toMatchObject({ status: 200 });
});
