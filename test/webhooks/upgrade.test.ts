import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { backend } from '../support/longhaul.ts';
import { oldDatabase, queueStays, startOn } from '../support/old-database.ts';
import { startReceiver } from '../support/receiver.ts';

/** Kinds that are to be sent, and the tries of their series that were begun. */
const pending = { noted: 0, waiting: 0, redelivered: 0, 'under-way': 2, 'put-back': 2, retried: 3 };

/** Of each kind: a thousand in all on servers, and a tenth of that on a database that shares the thread. */
const each = backend === 'servers' ? 167 : 17;

/** The time of this id, and the rest by chance. */
function id(old: string): string {
  return `(left(${old}::text, 15) || right(gen_random_uuid()::text, 21))::uuid`;
}

/** So many more of each kind, with ids of their own, in both places. */
function copies(count: number): string {
  return `
    CREATE TEMP TABLE copy AS
      SELECT id AS old_id, job_id AS old_job_id, series_id AS old_series_id, ${id('id')} AS id, ${id('job_id')} AS job_id,
        ${id('series_id')} AS series_id
      FROM webhook_delivery, generate_series(1, ${count}) WHERE status = 'PENDING';
    UPDATE copy SET series_id = id WHERE old_series_id = old_id;
    INSERT INTO job SELECT (jsonb_populate_record(job, jsonb_build_object('id', copy.job_id))).*
      FROM job JOIN copy ON copy.old_job_id = job.id;
    INSERT INTO webhook_delivery SELECT (jsonb_populate_record(delivery,
        jsonb_build_object('id', copy.id, 'job_id', copy.job_id, 'series_id', copy.series_id))).*
      FROM webhook_delivery AS delivery JOIN copy ON copy.old_id = delivery.id;
    INSERT INTO pgboss.job SELECT (jsonb_populate_record(entry, jsonb_build_object('id', gen_random_uuid(),
        'data', entry.data || jsonb_build_object('deliveryId', copy.id, 'seriesId',
          CASE WHEN entry.data->>'seriesId' = copy.old_series_id::text THEN copy.series_id ELSE copy.id END)))).*
      FROM pgboss.job AS entry JOIN copy ON copy.old_id::text = entry.data->>'deliveryId';
    DROP TABLE copy;`;
}

test('the deliveries that wait in pg-boss, a thousand of them, arrive after the upgrade, each once', async () => {
  const receiver = await startReceiver();
  const host = new URL(receiver.url).host;
  const open = await oldDatabase(`${copies(each - 1)}
    UPDATE webhook_delivery SET url = replace(url, 'receiver.test', '${host}');
    UPDATE job SET webhook_url = replace(webhook_url, 'receiver.test', '${host}');
    UPDATE pgboss.job SET start_after = now();
    UPDATE pgboss.job SET start_after = now() + interval '1 hour' WHERE
      split_part(split_part((SELECT url FROM webhook_delivery WHERE id::text = data->>'deliveryId'), '/', 4), '?', 1)
        IN ('retried', 'put-back')`);
  const app = await startOn(open);
  const { database } = app.services;

  const kinds = Object.keys(pending).length;
  const waiting = `split_part(split_part(url, '/', 4), '?', 1) IN ('retried', 'put-back')`;
  // What is in a pause stays in it.
  await eventually(() => expect(new Set(receiver.received.map(({ path }) => path)).size).toBe(kinds - 2), 120_000);
  expect(
    await database.hot.query(
      `SELECT DISTINCT split_part(split_part(url, '/', 4), '?', 1) AS kind, tries, attempt_count, ready, sending,
         due_at > now() + interval '50 minutes' AS later
       FROM webhook_delivery WHERE ${waiting} ORDER BY 1`,
    ),
  ).toEqual([
    { kind: 'put-back', tries: 2, attempt_count: 2, ready: false, sending: false, later: true },
    { kind: 'retried', tries: 3, attempt_count: 3, ready: false, sending: false, later: true },
  ]);
  await database.hot.query(`UPDATE webhook_delivery SET due_at = now() WHERE ${waiting}`);

  await eventually(async () => {
    expect(await database.hot.query(`SELECT status, count(*)::int FROM webhook_delivery GROUP BY 1 ORDER BY 1`)).toEqual([
      // One had arrived before.
      { status: 'DELIVERED', count: kinds * each + 1 },
      { status: 'FAILED', count: each },
    ]);
  }, 120_000);
  expect(receiver.received).toHaveLength(kinds * each);
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(kinds * each);
  expect(receiver.received.filter(({ path }) => path.includes('given-up'))).toEqual([]);
  // This try, and those before it.
  expect(
    Object.fromEntries(
      (
        await database.hot.query<{ kind: string; tries: number }>(
          `SELECT DISTINCT split_part(split_part(url, '/', 4), '?', 1) AS kind, tries - 1 AS tries
           FROM webhook_delivery WHERE status = 'DELIVERED' AND url NOT LIKE '%/delivered?%'`,
        )
      ).map(({ kind, tries }) => [kind, tries]),
    ),
  ).toEqual(pending);
  expect(await queueStays(database)).toBe(false);
}, 180_000);
