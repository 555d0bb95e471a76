import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endLease, sweep, Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { alertRules, evaluate, type Evaluation, firing, hasPromtool, scrape, type Scrape } from '../support/promtool.ts';
import { startReceiver, status } from '../support/receiver.ts';
import { createRedisServer, hasRedisServer } from '../support/redis-server.ts';

const rules = new Map(alertRules().map((rule) => [rule.name, rule]));
const made = new Set<string>();

/** Returns what was scraped during it, if it passes. */
type Fault = () => Promise<Scrape | void>;

/** Expects that the alert does not fire before the fault, and does after it has lasted for as long as the rule says. */
async function fires(alert: string, longhaul: Longhaul, fault: Fault): Promise<void> {
  const rule = rules.get(alert);
  if (rule === undefined) throw new Error(`There is no alert ${alert}`);
  made.add(alert);
  const same: Omit<Evaluation, 'before' | 'after' | 'gives'> = { name: alert, minutes: rule.minutes, expr: firing(alert) };
  const before = await eventually(async () => {
    const quiet = await scrape(longhaul.url);
    expect(await evaluate([{ ...same, before: quiet, after: quiet, gives: false }])).toBe('');
    return quiet;
  });
  const during = await fault();
  await eventually(async () => {
    const after = during ?? (await scrape(longhaul.url));
    expect(await evaluate([{ ...same, before, after, gives: true }])).toBe('');
  }, 60_000);
}

describe.runIf(hasPromtool() && hasRedisServer())('an alert', () => {
  let longhaul: Longhaul;
  beforeAll(async () => {
    longhaul = await startLonghaul({ OUTBOUND_ALLOW: '127.0.0.1' });
    await longhaul.services.jobs.upkeep.rollUp();
  });
  afterAll(() => longhaul.stop());

  test('fires when a type has no worker', async () => {
    const tenant = await Tenant.in(longhaul);
    await fires('LonghaulNoWorker', longhaul, async () => {
      await tenant.create({ type: 'preview' });
      await longhaul.services.jobs.upkeep.rollUp();
    });
  });

  test('fires when jobs wait too long', async () => {
    const tenant = await Tenant.in(longhaul);
    await fires('LonghaulJobsWait', longhaul, async () => {
      const { id } = await tenant.create();
      await longhaul.services.database.reads.query(`UPDATE job SET due_at = now() - interval '1 hour' WHERE id = $1`, [id]);
    });
  });

  test('fires when most attempts fail', async () => {
    const tenant = await Tenant.in(longhaul);
    // Of a series that was not there before, Prometheus sees no increase.
    await tenant.fail((await tenant.running({ type: 'comments' })).token);
    await tenant.complete((await tenant.running({ type: 'comments' })).token);
    await fires('LonghaulAttemptsFail', longhaul, async () => {
      for (let count = 0; count < 3; count += 1) await tenant.fail((await tenant.running({ type: 'comments' })).token);
      await tenant.complete((await tenant.running({ type: 'comments' })).token);
    });
  });

  test('fires when workers go silent', async () => {
    const tenant = await Tenant.in(longhaul);
    await fires('LonghaulLeasesExpire', longhaul, async () => {
      for (let count = 0; count < 6; count += 1) await endLease(longhaul, (await tenant.running()).job.id);
      await sweep(longhaul);
    });
  });

  test('fires when a webhook is given up', async () => {
    const tenant = await Tenant.in(longhaul);
    const receiver = await startReceiver(status(410));
    await fires('LonghaulWebhooksGivenUp', longhaul, async () => {
      await tenant.complete((await tenant.running({ webhookUrl: receiver.url })).token);
    });
  });

  test('fires when webhooks are due and not sent', async () => {
    const other = await startLonghaul();
    try {
      await other.deliverer.stop();
      await fires('LonghaulWebhookBacklog', other, () =>
        other.fill(
          `INSERT INTO webhook_delivery (id, workspace_id, job_id, url, endpoint, event)
           SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'http://127.0.0.1:1', gen_random_uuid(), 'JOB_COMPLETED'
           FROM generate_series(1, 1001)`,
        ),
      );
    } finally {
      await other.stop();
    }
  });

  test('fires when what has expired is not removed', async () => {
    await fires('LonghaulRetentionBacklog', longhaul, async () => {
      await longhaul.fill(
        `INSERT INTO idempotency_key (workspace_id, scope, key, request_hash, created_at)
         SELECT gen_random_uuid(), 'JOB', n::text, '', now() - interval '2 days' FROM generate_series(1, 10001) AS n`,
      );
    });
  });

  test('fires when callers wait for a connection', async () => {
    await fires('LonghaulPoolExhausted', longhaul, async () => {
      const { reads } = longhaul.services.database;
      await scrape(longhaul.url);
      const busy = Promise.all(Array.from({ length: 8 }, () => reads.query('SELECT pg_sleep(1)')));
      const found = await scrape(longhaul.url);
      await busy;
      return found;
    });
  });

  test('fires when the process is too busy', async () => {
    await fires('LonghaulEventLoopSlow', longhaul, async () => {
      const until = performance.now() + 800;
      while (performance.now() < until);
      // Its delay is noted when the next timers run.
      await new Promise((resolve) => setTimeout(resolve, 20));
      return scrape(longhaul.url);
    });
  });

  test('fires when the database does not answer, and when work is overdue for that', async () => {
    const tenant = await Tenant.in(longhaul);
    const holder = new pg.Client(longhaul.shared['DATABASE_URL']);
    await holder.connect();
    try {
      await fires('LonghaulDatabaseDown', longhaul, async () => {
        await holder.query('BEGIN');
        await holder.query('LOCK TABLE job_total');
      });
      // The lock is still held, and the sweep has something to count.
      await fires('LonghaulWorkOverdue', longhaul, async () => void (await tenant.create()));
    } finally {
      await holder.end();
    }
  }, 150_000);

  test('fires when the bus is down, and when the process is', async () => {
    const redis = await createRedisServer();
    await redis.start();
    const other = await startLonghaul({ REDIS_URL: redis.url });
    try {
      await fires('LonghaulBusDown', other, () => redis.stop());
      await fires('LonghaulDown', other, () => other.stop());
    } finally {
      await other.stop();
      await redis.stop();
    }
  });

  test('of each kind was fired', () => {
    expect([...made].toSorted()).toEqual([...rules.keys()].toSorted());
  });
});
