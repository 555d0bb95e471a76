import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { JsonValue } from '../../src/json.ts';
import { makeDueReady } from '../../src/webhooks/due.ts';
import { sqlEndpoint } from '../../src/jobs/end/endpoint.ts';
import { noteOutcome, putBack } from '../../src/webhooks/outcome.ts';
import { mostTries } from '../../src/webhooks/series.ts';
import { beginning, takeReady, type Try } from '../../src/webhooks/take.ts';
import { untilWaiting } from '../support/lock-waits.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { type Statement } from '../support/observed-database.ts';
import { statementsOf, waysInto } from '../support/plans.ts';

/*
 * The queue by itself: nothing is sent here. Each test's deliveries are those of its own workspaces.
 */
let longhaul: Longhaul;
let database: Database;
/** Its deliveries fill the table; what is ready of them goes to one URL that is busy. */
let crowded: string;

beforeAll(async () => {
  longhaul = await startLonghaul();
  await longhaul.deliverer.stop();
  database = longhaul.services.database;
  crowded = (await longhaul.workspace()).id;
  await note(crowded, 'https://busy.example/hook', 50_000);
  await note(crowded, "'https://pausing.example/' || n", 50_000, { sql: true, pause: '1 hour' });
  await note(crowded, "'https://done.example/' || n", 100_000, { sql: true, status: 'DELIVERED' });
  await database.hot.query('ANALYZE webhook_delivery');
  expect(await takeAll()).toHaveLength(10);
}, 120_000);
afterAll(() => longhaul.stop());

/** Deliveries of a workspace: as many rows as are asked for, of one job that has ended. */
async function note(
  workspaceId: string,
  url: string,
  count: number,
  { sql = false, status = 'PENDING', pause = '0' } = {},
): Promise<void> {
  const [job] = await database.hot.query<{ id: string }>(
    `INSERT INTO job (id, workspace_id, type, status, input, max_attempts, credits_charged, finished_at)
     VALUES ($1, $2, 'export', 'COMPLETED', '{}', 1, 0, now()) RETURNING id`,
    [randomUUID(), workspaceId],
  );
  await longhaul.fill(
    `WITH made AS (SELECT gen_random_uuid() AS id, ${sql ? url : `'${url}'`} AS url FROM generate_series(1, $3::int) AS n)
     INSERT INTO webhook_delivery (id, workspace_id, job_id, url, endpoint, event, status, ready, due_at)
     SELECT id, $1, $2, url, ${sqlEndpoint('url')}, 'JOB_COMPLETED', $4, $4 = 'PENDING' AND $5::interval = '0',
       now() + $5::interval FROM made`,
    [workspaceId, job?.id, count, status, pause],
  );
}

/** All that can be taken now, by a process that has these tries under way. */
async function takeAll(own: readonly Try[] = [], from = database): Promise<Try[]> {
  const all: Try[] = [];
  let place = beginning;
  for (let more = true; more; ) {
    const looked = await takeReady(from, { limit: 20, from: place, own });
    all.push(...looked.tries);
    ({ next: place, more } = looked);
  }
  return all;
}

async function takenOf(workspaceId: string, own: readonly Try[] = []): Promise<Try[]> {
  return (await takeAll(own)).filter((one) => one.workspaceId === workspaceId);
}

async function newWorkspace(url: string, count = 1): Promise<string> {
  const { id } = await longhaul.workspace();
  await note(id, url, count);
  return id;
}

/** The lease of these tries is over, and a look has seen it. */
async function lapse(tries: readonly Try[]): Promise<void> {
  await database.hot.query('UPDATE webhook_delivery SET due_at = now() WHERE id = ANY($1::uuid[])', [
    tries.map(({ deliveryId }) => deliveryId),
  ]);
  await makeDueReady(database);
}

/** As if they had not been taken. */
async function makeReady(tries: readonly Try[]): Promise<void> {
  for (const one of tries) await putBack(database, one);
}

async function rowOf({ deliveryId }: Try): Promise<object | undefined> {
  const [row] = await database.hot.query<object>(
    'SELECT status, attempt_count, tries, ready, sending FROM webhook_delivery WHERE id = $1',
    [deliveryId],
  );
  return row;
}

const arrived = { status: 204, problem: null, retryAfter: null };
const refused = { status: 500, problem: 'It answered 500.', retryAfter: null };

/** Pages of tables and indexes that the statement looks at. It is carried out again. */
async function pagesOf({ sql, parameters }: Statement): Promise<number> {
  const [row] = await database.hot.query<{ 'QUERY PLAN': JsonValue }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
    parameters,
  );
  const [top] = Array.isArray(row?.['QUERY PLAN']) ? row['QUERY PLAN'] : [];
  if (top === null || typeof top !== 'object' || Array.isArray(top)) throw new Error('no plan');
  const { Plan: plan } = top;
  if (plan === null || typeof plan !== 'object' || Array.isArray(plan)) throw new Error('no plan');
  return Number(plan['Shared Hit Blocks']) + Number(plan['Shared Read Blocks']);
}

test('behind fifty thousand deliveries to a URL that is busy, one of another workspace is found at once', async () => {
  const other = await newWorkspace('https://other.example/hook', 2);
  let found: Try[] = [];
  const statements = await statementsOf(database, async (observed) => {
    found = (await takeReady(observed, { limit: 1, from: beginning, own: [] })).tries;
  });
  expect(found.map(({ workspaceId }) => workspaceId)).toEqual([other]);
  const [statement] = statements;
  if (statement === undefined) throw new Error('nothing was asked');
  expect(await waysInto('webhook_delivery', database, statement)).not.toContain('Seq Scan');
  expect(await pagesOf(statement)).toBeLessThan(500);
});

test('a look that finds nothing due reads a few pages, however many wait', async () => {
  const [statement] = await statementsOf(database, (observed) => makeDueReady(observed));
  if (statement === undefined) throw new Error('nothing was asked');
  expect(await waysInto('webhook_delivery', database, statement)).not.toContain('Seq Scan');
  expect(await pagesOf(statement)).toBeLessThan(50);
});

test('many who take at the same time never have more than ten tries at one URL', async () => {
  const id = await newWorkspace('https://one.example/hook?n=1', 100);
  const all = (await Promise.all(Array.from({ length: 8 }, () => takeAll()))).flat();
  expect(all.filter(({ workspaceId }) => workspaceId === id)).toHaveLength(10);
  expect(new Set(all.map(({ deliveryId }) => deliveryId)).size).toBe(all.length);
});

test('who waited while another process took sees what it has taken', async () => {
  const id = await newWorkspace('https://meanwhile.example/hook', 30);
  // The gate is there from the first taking on.
  await makeReady(await takenOf(id));
  let waiting: Promise<Try[]> = Promise.resolve([]);
  await database.transaction(async (other) => {
    await other.query(`UPDATE setting SET value = (value::bigint + 1)::text WHERE name = 'webhook_turn'`);
    await other.query(
      `UPDATE webhook_delivery SET ready = false, sending = true, due_at = now() + interval '1 minute'
       WHERE id IN (SELECT id FROM webhook_delivery WHERE workspace_id = $1 LIMIT 10)`,
      [id],
    );
    waiting = takenOf(id);
    await untilWaiting(other, 1);
  });
  expect(await waiting).toEqual([]);
});

test('host and path make the URL, however it is written', async () => {
  const { id } = await longhaul.workspace();
  for (const url of ['https://Same.example/hook', 'https://same.example:443/hook?x=1', 'https://SAME.example/hook#y']) {
    await note(id, url, 8);
  }
  expect(await takenOf(id)).toHaveLength(10);
});

test('a try that its process still has under way counts, although its delivery was asked for again', async () => {
  const id = await newWorkspace('https://again.example/hook', 30);
  const own = await takenOf(id);
  await database.hot.query(
    `UPDATE webhook_delivery SET ready = true, sending = false, tries = 0, attempt = attempt + 1
     WHERE workspace_id = $1 AND sending`,
    [id],
  );
  expect(await takenOf(id, own)).toEqual([]);
});

test('a try that comes back after its lease was over and another process has taken it changes nothing', async () => {
  const id = await newWorkspace('https://slow.example/hook');
  const late = await takenOf(id);
  await lapse(late);
  const again = await takenOf(id);
  const [first] = late;
  const [second] = again;
  if (first === undefined || second === undefined) throw new Error('it was not taken twice');
  expect(second).toMatchObject({ deliveryId: first.deliveryId, tries: 2, number: 1 });
  await noteOutcome(database, first, refused);
  expect(await rowOf(first)).toEqual({ status: 'PENDING', attempt_count: 0, tries: 2, ready: false, sending: true });
  await noteOutcome(database, second, arrived);
  await noteOutcome(database, first, refused);
  expect(await rowOf(first)).toMatchObject({ status: 'DELIVERED', attempt_count: 1, sending: false });
});

test('a try that comes back after its lease was over, before anybody else has taken it, has its say', async () => {
  const id = await newWorkspace('https://late.example/hook');
  const late = await takenOf(id);
  await lapse(late);
  const [first] = late;
  if (first === undefined) throw new Error('it was not taken');
  await noteOutcome(database, first, arrived);
  expect(await rowOf(first)).toMatchObject({ status: 'DELIVERED', attempt_count: 1, ready: false });
});

test('a delivery whose senders all die is given up after its last try', async () => {
  const id = await newWorkspace('https://deadly.example/hook');
  for (let made = 1; made <= mostTries; made += 1) {
    const tries = await takenOf(id);
    expect(tries).toMatchObject([{ tries: made }]);
    await lapse(tries);
  }
  expect(await database.hot.query('SELECT status, last_error FROM webhook_delivery WHERE workspace_id = $1', [id])).toEqual([
    { status: 'FAILED', last_error: 'The process that made the last try ended before it knew the outcome.' },
  ]);
});

test('every one of many workspaces has its turn, although the first of them have no room', async () => {
  const hosts = Array.from({ length: 45 }, (_, n) => `https://turn.example/${n}`);
  const ids = await Promise.all(hosts.map((url) => newWorkspace(url, 12)));
  const all = await takeAll();
  const counts = ids.map((id) => all.filter(({ workspaceId }) => workspaceId === id).length);
  expect(counts).toEqual(ids.map(() => 10));
});

test('two processes look at the same time and take each delivery once', async () => {
  const second = await startLonghaul({}, { sharing: longhaul });
  onTestFinished(() => second.stop());
  await second.deliverer.stop();
  const { id } = await longhaul.workspace();
  await note(id, "'https://' || n || '.example/hook'", 30, { sql: true });
  const both = await Promise.all([takeAll(), takeAll([], second.services.database)]);
  const ids = both.flat().flatMap((one) => (one.workspaceId === id ? [one.deliveryId] : []));
  expect(ids).toHaveLength(30);
  expect(new Set(ids).size).toBe(30);
});
