import { afterAll, beforeAll, expect, test } from 'vitest';
import { settleWorkers, sweep, Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { alertRules, dashboardExpressions, evaluate, hasPromtool, metricsIn, scrape, type Scrape } from '../support/promtool.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

test('every metric of the dashboard and of the alerts is there', async () => {
  const text = await (await fetch(`${longhaul.url}/metrics`)).text();
  const known = new Set([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) => (type === 'histogram' ? [`${name}_bucket`, `${name}_count`] : [name])));
  const asked = [...dashboardExpressions(), ...alertRules().map(({ expr }) => expr)].flatMap(metricsIn);
  expect(asked.length).toBeGreaterThan(30);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});

test.runIf(hasPromtool())('every expression of the dashboard gives something where jobs live', async () => {
  const tenant = await Tenant.in(longhaul);
  const live = async (): Promise<Scrape> => {
    await tenant.createAll([{}, {}, {}, {}]);
    const [one, two] = await tenant.claim({ limit: 3 });
    await tenant.complete(one?.token ?? '');
    await tenant.fail(two?.token ?? '', { retryable: false });
    await longhaul.graphql('{ none }');
    await settleWorkers(longhaul);
    await longhaul.sweeper.rollUp();
    await sweep(longhaul);
    return scrape(longhaul.url);
  };
  const before = await live();
  await live();
  // What the database says is read every two seconds at most.
  const after = await eventually(async () => {
    const found = await scrape(longhaul.url);
    expect(found.get(named('longhaul_running_jobs', 'type="fingerprint"'))).toBe(2);
    return found;
  });
  const faults = await evaluate(
    dashboardExpressions().map((expr) => ({ name: expr, expr, before: only(expr, before), after: only(expr, after), minutes: 0, gives: true })),
  );
  expect(faults).toBe('');
});

test('what waits, runs and has ended is counted by type, however many workspaces it is in', async () => {
  const [one, other] = [await Tenant.in(longhaul), await Tenant.in(longhaul)];
  await one.createAll([{ type: 'preview' }, { type: 'preview' }]);
  await other.create({ type: 'preview' });
  const { token } = await other.running({ type: 'preview' });
  await longhaul.services.database.reads.query(`UPDATE job SET due_at = now() - interval '100 s' WHERE workspace_id = $1`, [one.id]);
  await other.fail(token, { code: 'SOURCE_GONE', retryable: false });
  await longhaul.sweeper.rollUp();
  const look = async () => Object.fromEntries([...(await scrape(longhaul.url))].filter(([series]) => series.includes('type="preview"')));
  // The figures of the installation are read every two seconds at most.
  await expect.poll(look, { interval: 500 }).toMatchObject({ [named('longhaul_pending_jobs', 'type="preview"')]: 3 });
  const figures = await look();
  expect(figures[named('longhaul_oldest_pending_seconds', 'type="preview"')]).toBeGreaterThan(99);
  expect(figures).toMatchObject({
    [named('longhaul_running_jobs', 'type="preview"')]: 0,
    [named('longhaul_jobs_ended_total', 'type="preview",code="SOURCE_GONE",status="FAILED"')]: 1,
    [named('longhaul_attempts_ended_total', 'type="preview",code="SOURCE_GONE",outcome="FAILED"')]: 1,
    [named('longhaul_job_run_seconds_count', 'type="preview"')]: 1,
  });
});

/** The series that an expression is about. */
function only(expr: string, all: Scrape): Scrape {
  return new Map([...all].filter(([series]) => metricsIn(expr).some((name) => series.startsWith(`${name}{`))));
}

/** A series of the scrape. */
function named(name: string, labels: string): string {
  return `${name}{${labels},instance="one",job="longhaul"}`;
}
