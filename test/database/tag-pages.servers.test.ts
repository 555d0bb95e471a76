import { afterAll, beforeAll, expect, test } from 'vitest';
import { observed } from '../support/observed-database.ts';
import type { Window } from '../../src/database/keyset.ts';
import { countJobs, listJobs } from '../../src/jobs/read/list.ts';
import type { JobFilter } from '../../src/jobs/read/filter.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

const jobs = 40_000;
const rows = 51;

let longhaul: Longhaul;
let tenant: Tenant;
let ids: string[];

/*
 * One workspace whose jobs all bear one tag, and a mix of others; and another one, of the same size, where frequent tags are
 * rare and rare ones frequent: statistics of the whole table say nothing of either.
 */
beforeAll(async () => {
  longhaul = await startLonghaul();
  const { database } = longhaul.services;
  const [own, other] = await Promise.all([Tenant.in(longhaul), Tenant.in(longhaul)]);
  tenant = own;
  await database.hot.query(
    `INSERT INTO job (id, workspace_id, type, status, input, tags, max_attempts, credits_charged)
     SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
       CASE n % 2 WHEN 0 THEN $1::uuid ELSE $2::uuid END, 'export',
       CASE WHEN n / 2 % 1000 = 0 THEN 'FAILED' ELSE 'COMPLETED' END, '{}',
       CASE n % 2 WHEN 1 THEN ARRAY['elsewhere', 'rare'] ELSE
         ARRAY['all', 'own-' || n / 6, CASE n / 2 % 2 WHEN 0 THEN 'even' ELSE 'odd' END]
           || CASE WHEN n / 2 % 50 = 0 THEN ARRAY['fiftieth'] ELSE '{}' END
           || CASE WHEN n / 2 % 5000 = 7 THEN ARRAY['rare'] ELSE '{}' END
           || CASE WHEN n <= 16000 THEN ARRAY['once'] ELSE '{}' END
       END, 3, 1
     FROM generate_series(1, 2 * $3::int) AS n`,
    [own.id, other.id, jobs],
  );
  await database.hot.query('INSERT INTO job_tag (workspace_id, tag, job_id) SELECT workspace_id, unnest(tags), id FROM job');
  await database.hot.query('VACUUM (ANALYZE) job, job_tag');
  const all = await database.hot.query<{ id: string }>('SELECT id FROM job WHERE workspace_id = $1 ORDER BY id', [own.id]);
  ids = all.map(({ id }) => id);
}, 120_000);
afterAll(() => longhaul.stop());

/** Pages of Postgres that the work reads, in all of its statements. */
async function buffersOf(work: (database: Longhaul['services']['database']) => Promise<unknown>): Promise<number> {
  const { database } = longhaul.services;
  const statements: { sql: string; parameters: readonly unknown[] }[] = [];
  await work(observed(database, (statement) => statements.push(statement)));
  let buffers = 0;
  for (const { sql, parameters } of statements) {
    const [row] = await database.hot.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
      parameters,
    );
    const plan = row?.['QUERY PLAN'][0].Plan ?? {};
    buffers += (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
  }
  return buffers;
}

function page(filter: JobFilter, window: Partial<Window> = {}): Promise<number> {
  const whole: Window = { above: null, below: null, direction: 'DESC', limit: rows };
  return buffersOf((database) => listJobs(database, tenant.id, filter, { ...whole, ...window }));
}

test.each<{ name: string; filter: JobFilter }>([
  { name: 'a tag of all jobs', filter: { tags: ['all'] } },
  { name: 'a tag of half the jobs', filter: { tags: ['even'] } },
  { name: 'two frequent tags', filter: { tags: ['all', 'odd'] } },
  { name: 'a tag of one job of fifty', filter: { tags: ['fiftieth'] } },
  { name: 'two tags, the second on one job of fifty', filter: { tags: ['all', 'fiftieth'] } },
])('a page by $name reads as much at the end of the list as at its beginning', async ({ filter }) => {
  const first = await page(filter);
  for (const at of [ids.length / 2, 5_000]) expect(await page(filter, { below: ids[at] ?? null })).toBeLessThanOrEqual(first * 1.1 + 4);
  expect(await page(filter, { direction: 'ASC' })).toBeLessThanOrEqual(first * 1.1 + 4);
});

test('a page by a tag that most jobs bear reads what lies together at once', async () => {
  expect(await page({ tags: ['all'] })).toBeLessThan(rows);
  expect(await page({ tags: ['all', 'even'] })).toBeLessThan(rows);
});

/** Each job by its id, each step of the way to it, and a look at each tag's list. */
const oneByOne = rows * 4 + 60;

test.each<{ name: string; filter: JobFilter }>([
  { name: 'a rare tag', filter: { tags: ['own-700'] } },
  { name: 'a tag that is frequent in another workspace', filter: { tags: ['rare'] } },
  { name: 'a tag that only another workspace knows', filter: { tags: ['elsewhere'] } },
  { name: 'a tag that is out of use', filter: { tags: ['once'] } },
  { name: 'two tags, the second of them rare', filter: { tags: ['all', 'own-700'] } },
  { name: 'two tags, the first of them rare', filter: { tags: ['own-700', 'all'] } },
  { name: 'two tags, the second frequent in another workspace', filter: { tags: ['all', 'rare'] } },
  { name: 'two tags, the second out of use', filter: { tags: ['all', 'once'] } },
  { name: 'twenty tags', filter: { tags: ['all', 'even', ...Array.from({ length: 18 }, (_, n) => `own-${n}`)] } },
  { name: 'a rare tag and a status', filter: { tags: ['rare'], statuses: ['COMPLETED'] } },
  { name: 'a frequent tag and a rare status', filter: { tags: ['all'], statuses: ['FAILED'] } },
])('a page by $name reads no more than it shows, in either direction', async ({ filter }) => {
  expect(await page(filter)).toBeLessThanOrEqual(oneByOne);
  expect(await page(filter, { direction: 'ASC' })).toBeLessThanOrEqual(oneByOne);
});

test('a count by a rare tag reads the jobs that bear it', async () => {
  for (const tags of [['own-700'], ['all', 'own-700'], ['none'], ['all', 'none']]) {
    expect(await buffersOf((database) => countJobs(database.reads, tenant.id, { tags })), tags.join()).toBeLessThanOrEqual(oneByOne);
  }
});

test('pages by tags have the jobs that bear them all, without a gap or one twice', async () => {
  const { database } = longhaul.services;
  for (const tags of [['all'], ['once', 'fiftieth'], ['rare', 'all'], ['fiftieth', 'odd'], ['own-700'], ['odd', 'even']]) {
    const wanted = await database.hot.query<{ id: string }>(
      'SELECT id FROM job WHERE workspace_id = $1 AND tags @> $2 ORDER BY id DESC LIMIT 300',
      [tenant.id, tags],
    );
    const found: string[] = [];
    for (let below: string | null = null; found.length < wanted.length; ) {
      const next = await listJobs(database, tenant.id, { tags }, { above: null, below, direction: 'DESC', limit: 100 });
      if (next.length === 0) break;
      found.push(...next.map(({ id }) => id));
      below = found.at(-1) ?? null;
    }
    expect(found).toEqual(wanted.map(({ id }) => id));
  }
});
