import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseOutboundAllow } from '../../src/outbound/addresses.ts';
import { webhookSurfaces } from '../../src/server/webhook-surfaces.ts';
import { Deliverer } from '../../src/webhooks/deliverer.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { backend, type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { type Answering, becomeDueAgain, deliveriesOf, startReceiver, status } from '../support/receiver.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  // Not 127.0.0.64 and above.
  longhaul = await startLonghaul({ OUTBOUND_ALLOW: '127.0.0.0/26' });
});
afterAll(() => longhaul.stop());

const never: Answering = () => undefined;

/** Answers where the path begins so, and nowhere else. */
function hangingUnless(path: string): Answering {
  return (response, request) => (request.path.startsWith(path) ? void response.writeHead(204).end() : undefined);
}

async function newTenant() {
  const workspace = await longhaul.workspace();
  return { key: await workspace.key(), tenant: Tenant.of(longhaul, workspace.id) };
}

/** Completes a job with this webhook URL. */
async function completed(tenant: Tenant, webhookUrl: string): Promise<string> {
  const { job, token } = await tenant.running({ webhookUrl });
  await tenant.complete(token);
  return job.id;
}

/** Completes as many jobs as there are URLs. */
async function completeAll(tenant: Tenant, urls: readonly string[]): Promise<void> {
  const jobs = await tenant.createAll(urls.map((webhookUrl) => ({ webhookUrl })));
  const started = await tenant.claim({ jobIds: jobs.map(({ id }) => id), limit: 100 });
  expect(started).toHaveLength(urls.length);
  await Promise.all(started.map(({ token }) => tenant.complete(token)));
}

test.each<[string, () => string, number]>([
  ['in seconds', () => '7200', 7_200],
  ['as a date', () => new Date(Date.now() + 7_200_000).toUTCString(), 7_200],
  ['of years, which are cut to a day', () => '99999999', 86_400],
  ['that is less than the usual pause', () => '0', 5],
  ['that cannot be read', () => 'soon', 5],
])('the next try waits for a Retry-After %s', async (_what, header, seconds) => {
  const { key, tenant } = await newTenant();
  const receiver = await startReceiver((response) => void response.writeHead(503, { 'retry-after': header() }).end());
  const id = await completed(tenant, receiver.url);
  await eventually(async () => {
    expect(await deliveriesOf(longhaul, key, id)).toMatchObject([{ status: 'PENDING', attemptCount: 1, lastResponseStatus: 503 }]);
  });
  const [row] = await longhaul.services.database.hot.query<{ wait: number }>(
    'SELECT extract(epoch FROM due_at - now())::float8 AS wait FROM webhook_delivery WHERE job_id = $1',
    [id],
  );
  expect(row?.wait).toBeGreaterThan(seconds - 30);
  expect(row?.wait).toBeLessThanOrEqual(2 * seconds + 1);
});

test('410 ends a delivery at once; sent again by hand, it starts over', async () => {
  const { key, tenant } = await newTenant();
  const receiver = await startReceiver(status(410), status(204));
  const id = await completed(tenant, receiver.url);
  const deliveries = () => deliveriesOf(longhaul, key, id);
  await eventually(async () => {
    expect(await deliveries()).toMatchObject([{ status: 'FAILED', attemptCount: 1, lastResponseStatus: 410, lastError: expect.stringContaining('no more') }]);
  });
  const [delivery] = await deliveries();
  await longhaul.graphql('mutation ($id: ID!) { redeliverWebhook(input: { id: $id }) { __typename } }', { id: delivery?.['id'] }, key);
  await eventually(async () => expect(await deliveries()).toMatchObject([{ status: 'DELIVERED' }]));
});

test('a redirect is not followed, and counts as a failed try', async () => {
  const { key, tenant } = await newTenant();
  const target = await startReceiver();
  const receiver = await startReceiver((response) => void response.writeHead(307, { location: target.url }).end());
  const id = await completed(tenant, receiver.url);
  await eventually(async () => {
    expect(await deliveriesOf(longhaul, key, id)).toMatchObject([
      {
        status: 'PENDING',
        attemptCount: 1,
        lastResponseStatus: 307,
        lastError: expect.stringMatching(/answered 307, and redirects are not followed/),
      },
    ]);
  });
  expect(target.received).toEqual([]);
});

test.each([
  ['127.0.0.64', 'loopback'],
  ['[::ffff:127.0.0.64]', 'IPv4-mapped'],
  ['0.0.0.0', 'unspecified'],
  ['169.254.169.254', 'metadata'],
])('%s is refused before a packet is sent (%s)', async (host) => {
  const { key, tenant } = await newTenant();
  const receiver = await startReceiver();
  const id = await completed(tenant, `http://${host}:${receiver.port}/secret-path`);
  await eventually(async () => {
    const [delivery] = await deliveriesOf(longhaul, key, id);
    expect(delivery).toMatchObject({ status: 'PENDING', attemptCount: 1, lastResponseStatus: null });
    expect(delivery?.['lastError']).toMatch(/is not a public address/);
    expect(delivery?.['lastError']).not.toMatch(/secret-path/);
  });
  expect(receiver.received).toEqual([]);
});

test('a receiver that cannot be reached is named in the log, its path is not', async () => {
  const { key, tenant } = await newTenant();
  // A port that nobody listens on.
  const id = await completed(tenant, 'http://127.0.0.1:1/secret-path?token=x');
  await eventually(async () => {
    const [delivery] = await deliveriesOf(longhaul, key, id);
    expect(delivery).toMatchObject({ attemptCount: 1, lastResponseStatus: null });
    expect(delivery?.['lastError']).toBe(
      '127.0.0.1:1 cannot be reached (ECONNREFUSED). Check the host and its certificate, then try again.',
    );
  });
});

test('a receiver that sends interim answers first has taken the delivery', async () => {
  const { key, tenant } = await newTenant();
  const receiver = await startReceiver((response) => {
    response.writeContinue();
    response.writeEarlyHints({ link: '</>; rel=preload' });
    response.writeContinue();
    response.writeHead(202).end();
  });
  const id = await completed(tenant, receiver.url);
  await eventually(async () => {
    expect(await deliveriesOf(longhaul, key, id)).toMatchObject([{ status: 'DELIVERED', attemptCount: 1, lastResponseStatus: 202 }]);
  });
});

test('of an answer that never ends no more is read than its beginning', async () => {
  const { key, tenant } = await newTenant();
  let written = 0;
  const closed = Promise.withResolvers<void>();
  const receiver = await startReceiver((response) => {
    const chunk = Buffer.alloc(65_536, 'x');
    const pour = () => {
      while (!response.destroyed) {
        written += chunk.length;
        if (!response.write(chunk)) break;
      }
    };
    response.on('drain', pour).on('close', closed.resolve).on('error', () => undefined);
    response.writeHead(200);
    pour();
  });
  const id = await completed(tenant, receiver.url);
  await closed.promise;
  // What the sockets' buffers took, and not what would have come within the time of a try.
  expect(written).toBeLessThan(32 * 1024 * 1024);
  await eventually(async () => {
    expect(await deliveriesOf(longhaul, key, id)).toMatchObject([{ status: 'DELIVERED', lastResponseStatus: 200 }]);
  });
});

test('a hundred deliveries to a receiver that never answers keep one to another receiver waiting for none of them', async () => {
  const { key, tenant } = await newTenant();
  const silent = await startReceiver(never);
  await completeAll(tenant, Array.from({ length: 100 }, () => silent.url));
  await eventually(() => expect(silent.received).toHaveLength(10));

  const good = await startReceiver();
  const id = await completed(tenant, good.url);
  await eventually(async () => expect(await deliveriesOf(longhaul, key, id)).toMatchObject([{ status: 'DELIVERED' }]));
  // Not one of the others has come to its end.
  expect(await tenant.count('FROM webhook_delivery WHERE workspace_id = $1 AND attempt_count > 0')).toBe(1);
  expect(silent.received).toHaveLength(10);
});

test('sixty deliveries to a URL that never answers keep one to another URL of the same host waiting for none of them', async () => {
  const { key, tenant } = await newTenant();
  const receiver = await startReceiver(hangingUnless('/ok'));
  const { origin } = new URL(receiver.url);
  // The query makes no URL of its own.
  await completeAll(tenant, Array.from({ length: 60 }, (_, index) => `${origin}/hang?job=${index}`));
  await eventually(() => expect(receiver.received).toHaveLength(10));

  const id = await completed(tenant, `${origin}/ok`);
  await eventually(async () => expect(await deliveriesOf(longhaul, key, id)).toMatchObject([{ status: 'DELIVERED' }]));
  expect(await tenant.count('FROM webhook_delivery WHERE workspace_id = $1 AND attempt_count > 0')).toBe(1);
  expect(receiver.received).toHaveLength(11);
});

test('a host where no URL answers leaves room to the other hosts of its workspace', async () => {
  const { key, tenant } = await newTenant();
  const silent = await startReceiver(never);
  const { origin } = new URL(silent.url);
  await completeAll(tenant, Array.from({ length: 60 }, (_, index) => `${origin}/hang/${index}`));
  await eventually(() => expect(silent.received).toHaveLength(20));

  const good = await startReceiver();
  const id = await completed(tenant, good.url);
  await eventually(async () => expect(await deliveriesOf(longhaul, key, id)).toMatchObject([{ status: 'DELIVERED' }]));
  expect(await tenant.count('FROM webhook_delivery WHERE workspace_id = $1 AND attempt_count > 0')).toBe(1);
  expect(silent.received).toHaveLength(20);
});

test('where a URL has no more room, what was never tried goes ahead of what has failed before', async () => {
  const { key, tenant } = await newTenant();
  const answers: (() => void)[] = [];
  const receiver = await startReceiver(status(500), (response) => {
    answers.push(() => void response.writeHead(204).end());
  });
  const failed = await completed(tenant, receiver.url);
  await eventually(async () => expect(await deliveriesOf(longhaul, key, failed)).toMatchObject([{ attemptCount: 1 }]));
  await completeAll(tenant, Array.from({ length: 10 }, () => receiver.url));
  await eventually(() => expect(receiver.received).toHaveLength(11));
  const fresh = await completed(tenant, receiver.url);
  const due = `FROM webhook_delivery WHERE workspace_id = $1 AND status = 'PENDING' AND ready`;
  await eventually(async () => {
    await becomeDueAgain(longhaul);
    expect(await tenant.count(due)).toBe(2);
  });
  for (const [job, number] of [[fresh, 12], [failed, 13]] as const) {
    answers.shift()?.();
    await eventually(() => expect(receiver.received).toHaveLength(number));
    const [delivery] = await deliveriesOf(longhaul, key, job);
    expect(`delivery_${receiver.received.at(-1)?.headers['webhook-id']}`).toBe(delivery?.['id']);
  }
});

test('a workspace whose many receivers never answer keeps no other workspace waiting', async () => {
  const { tenant } = await newTenant();
  const silent = await startReceiver(never);
  const hosts = Array.from({ length: 50 }, (_, index) => `http://127.0.0.${index + 1}:${silent.port}/`);
  await completeAll(tenant, [...hosts, ...hosts]);
  await eventually(() => expect(silent.received).toHaveLength(40));

  const other = await newTenant();
  const good = await startReceiver();
  const id = await completed(other.tenant, good.url);
  await eventually(async () => {
    expect(await deliveriesOf(longhaul, other.key, id)).toMatchObject([{ status: 'DELIVERED' }]);
  });
  expect(silent.received).toHaveLength(40);
  expect(await tenant.count('FROM webhook_delivery WHERE workspace_id = $1 AND attempt_count > 0')).toBe(0);
  // What found no room has lost none of its tries.
  expect(await tenant.count(`FROM webhook_delivery WHERE workspace_id = $1 AND ready AND tries = 0`)).toBe(60);
});

test('a try that the end of its process cuts off does not count, and another process makes it', async () => {
  const { key, tenant } = await newTenant();
  const { jobs, database, clock, links, log, webhookSecrets, workMetrics: observer } = longhaul.services;
  const outboundAllow = parseOutboundAllow(['127.0.0.0/26']);
  const options = { jobs, database, clock, outboundAllow, surfaces: webhookSurfaces(links), webhookSecrets, observer, log };
  const receiver = await startReceiver(never, status(204));
  await longhaul.deliverer.stop();
  const stopping = new Deliverer(options);
  stopping.start();
  const id = await completed(tenant, receiver.url);
  await eventually(() => expect(receiver.received).toHaveLength(1));
  await stopping.stop();
  expect(await deliveriesOf(longhaul, key, id)).toMatchObject([{ status: 'PENDING', attemptCount: 0, lastError: null }]);

  const next = new Deliverer(options);
  onTestFinished(() => next.stop());
  next.start();
  await eventually(async () => {
    await becomeDueAgain({ ...longhaul, deliverer: next });
    expect(await deliveriesOf(longhaul, key, id)).toMatchObject([{ status: 'DELIVERED', attemptCount: 1 }]);
  });
}, 30_000);

test.runIf(backend === 'servers')('when Postgres has dropped every connection, deliveries go on', async () => {
  const own = await startLonghaul({ OUTBOUND_ALLOW: '127.0.0.1' });
  onTestFinished(() => own.stop());
  const { id } = await own.workspace();
  const tenant = Tenant.of(own, id);
  const receiver = await startReceiver();
  await completed(tenant, receiver.url);
  await eventually(() => expect(receiver.received).toHaveLength(1));
  await own.services.database.hot.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  // Whoever met the end of its connection tries again.
  await eventually(() => completed(tenant, receiver.url));
  await eventually(async () => {
    const all = await tenant.count('FROM webhook_delivery WHERE workspace_id = $1');
    expect(all).toBeGreaterThan(1);
    expect(await tenant.count(`FROM webhook_delivery WHERE workspace_id = $1 AND status = 'DELIVERED'`)).toBe(all);
  });
});

describe.runIf(backend === 'servers')('two processes', () => {
  test('make each try once, whichever of them noted it', async () => {
    const first = await startLonghaul({ OUTBOUND_ALLOW: '127.0.0.1' });
    const second = await startLonghaul({ OUTBOUND_ALLOW: '127.0.0.1' }, { sharing: first });
    onTestFinished(async () => {
      await second.stop();
      await first.stop();
    });
    const receiver = await startReceiver();
    const { id } = await first.workspace();
    const jobs = await Tenant.of(first, id).createAll(Array.from({ length: 60 }, () => ({ webhookUrl: receiver.url })));
    await Promise.all(
      [first, second].map(async (one, index) => {
        const tenant = Tenant.of(one, id);
        const own = jobs.filter((_, n) => n % 2 === index).map((job) => job.id);
        const started = await tenant.claim({ jobIds: own, limit: 30 });
        await Promise.all(started.map(({ token }) => tenant.complete(token)));
      }),
    );
    const undelivered = `FROM webhook_delivery WHERE workspace_id = $1 AND status <> 'DELIVERED'`;
    await eventually(async () => {
      expect(await Tenant.of(first, id).count('FROM webhook_delivery WHERE workspace_id = $1')).toBe(60);
      expect(await Tenant.of(first, id).count(undelivered)).toBe(0);
    });
    expect(receiver.received).toHaveLength(60);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(60);
  });
});
