import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { type Answering, becomeDueAgain, deliveriesOf, type Received, startReceiver, status } from '../support/receiver.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ OUTBOUND_ALLOW: '127.0.0.1' });
});
afterAll(() => longhaul.stop());

const rotate = 'mutation { rotateWebhookSecret { secret } }';
const redeliver = `mutation ($id: ID!) { redeliverWebhook(input: { id: $id }) {
  __typename
  ... on RedeliverWebhookPayload { delivery { id status attemptCount deliveredAt } }
  ... on NotFoundError { code }
} }`;

/** A workspace with its key, and the secret that it learned by rotating. */
async function tenantWithSecret() {
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const tenant = Tenant.of(longhaul, workspace.id);
  return { key, tenant, secret: await rotated(key) };
}

async function rotated(key: string): Promise<string> {
  const { data, errors } = await longhaul.graphql(rotate, {}, key);
  expect(errors).toEqual([]);
  const { rotateWebhookSecret } = data as { rotateWebhookSecret: { secret: string } };
  return rotateWebhookSecret.secret;
}

/** As a receiver checks it; throws where the signature does not hold. */
function verify(secret: string, { body, headers }: Received): unknown {
  return new Webhook(secret).verify(body, {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  });
}

/** A receiver of the tenant's; each call gives its next delivery. */
async function deliveringTo(tenant: Tenant): Promise<() => Promise<Received>> {
  const receiver = await startReceiver();
  return async () => {
    const before = receiver.received.length;
    await tenant.complete((await tenant.running({ webhookUrl: receiver.url })).token);
    return eventually(() => {
      const arrived = receiver.received[before];
      if (arrived === undefined) throw new Error('nothing arrived');
      return arrived;
    });
  };
}

/** It was rotated away so long ago. */
async function retireAt(tenant: Tenant, secret: string, interval: string): Promise<void> {
  const stored = (await retiredOf(tenant)).find((each) => each.secret === secret)?.stored;
  await longhaul.services.database.hot.query(
    'UPDATE retired_webhook_secret SET retired_at = now() - $3::interval WHERE workspace_id = $1 AND secret = $2',
    [tenant.id, stored, interval],
  );
}

/** The retired secrets that are kept, as stored and as they sign. */
async function retiredOf({ id }: Tenant): Promise<{ stored: string; secret: string | null }[]> {
  const { database, webhookSecrets } = longhaul.services;
  const rows = await database.hot.query<{ secret: string }>('SELECT secret FROM retired_webhook_secret WHERE workspace_id = $1', [id]);
  return rows.map(({ secret: stored }) => ({ stored, secret: webhookSecrets.open(stored, id) }));
}

test('a completed job is told once, signed, as the contract names its fields', async () => {
  const { key, tenant, secret } = await tenantWithSecret();
  const receiver = await startReceiver();
  const { job, token } = await tenant.running({ webhookUrl: receiver.url, tags: ['blue'] });
  const done = await tenant.complete(token, { b: 1, a: [true, null] });

  await eventually(async () => expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([{ status: 'DELIVERED' }]));
  const [delivery] = await deliveriesOf(longhaul, key, job.id);
  expect(delivery).toMatchObject({
    url: receiver.url,
    event: 'JOB_COMPLETED',
    attemptCount: 1,
    lastResponseStatus: 204,
    lastError: null,
    deliveredAt: expect.any(String),
  });

  const [arrived, ...more] = receiver.received;
  if (arrived === undefined) throw new Error('nothing arrived');
  expect(more).toEqual([]);
  expect(arrived).toMatchObject({
    method: 'POST',
    path: '/hook?token=of-the-receiver',
    headers: { 'content-type': 'application/json', 'user-agent': 'longhaul' },
  });
  expect(`delivery_${arrived.headers['webhook-id']}`).toBe(delivery?.['id']);
  // What GraphQL shows of the same job, field by field.
  const fields = `id uuid type status version input progress { step message percentage } output error { code message }
    tags priority maxAttempts creditsCharged creditsRefunded downloadUrl downloadUrlExpiresAt retryOf { id uuid } schedule { id }
    cancelReason runAt nextAttemptAt createdAt startedAt finishedAt updatedAt dialect vendorId clientReference`;
  const { data } = await longhaul.graphql(`query ($id: ID!) { job(id: $id) { ${fields} } }`, { id: job.id }, key);
  expect(verify(secret, arrived)).toEqual({
    type: 'job.completed',
    timestamp: done.finishedAt?.toISOString(),
    data: data?.['job'],
  });
});

test('a job that failed for good and a cancelled one are told too, one that will be tried again is not', async () => {
  const { key, tenant, secret } = await tenantWithSecret();
  const receiver = await startReceiver();
  const webhookUrl = receiver.url;
  const again = await tenant.running({ webhookUrl });
  await tenant.fail(again.token);
  const failed = await tenant.running({ webhookUrl });
  await tenant.fail(failed.token, { code: 'BROKEN', message: 'It broke.', retryable: false });
  const cancelled = await tenant.create({ webhookUrl });
  await tenant.cancel(cancelled.id, 'No longer needed.');

  await eventually(() => expect(receiver.received).toHaveLength(2));
  const told = receiver.received.map((one) => verify(secret, one));
  expect(told).toContainEqual(
    expect.objectContaining({
      type: 'job.failed',
      data: expect.objectContaining({ uuid: failed.job.id, error: { code: 'BROKEN', message: 'It broke.' } }),
    }),
  );
  expect(told).toContainEqual(
    expect.objectContaining({
      type: 'job.cancelled',
      data: expect.objectContaining({ uuid: cancelled.id, cancelReason: 'No longer needed.', creditsRefunded: 1 }),
    }),
  );
  expect(await deliveriesOf(longhaul, key, again.job.id)).toEqual([]);
});

test('every secret signs until 24 hours after its rotation, however many rotations follow', async () => {
  const { tenant, key, secret: first } = await tenantWithSecret();
  const second = await rotated(key);
  const third = await rotated(key);
  expect(third).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(new Set([first, second, third]).size).toBe(3);
  const deliver = await deliveringTo(tenant);
  const early = await deliver();
  for (const secret of [first, second, third]) expect(verify(secret, early)).toMatchObject({ type: 'job.completed' });

  await retireAt(tenant, first, '24 hours 1 second');
  const later = await deliver();
  for (const secret of [second, third]) verify(secret, later);
  expect(() => verify(first, later)).toThrow('No matching signature found');

  // Forgotten, and no other with it. Twice: the first call may join a round that began before.
  await longhaul.sweeper.keepHouse();
  await longhaul.sweeper.keepHouse();
  const last = await deliver();
  for (const secret of [second, third]) verify(secret, last);
  expect((await retiredOf(tenant)).map((each) => each.secret)).toEqual([expect.any(String), second]);
});

test('of more than five secrets the newest five sign, the newest first', async () => {
  const { tenant, key, secret } = await tenantWithSecret();
  const secrets = [secret];
  for (let made = 1; made < 7; made += 1) secrets.unshift(await rotated(key));
  const deliver = await deliveringTo(tenant);
  const arrived = await deliver();
  const signatures = String(arrived.headers['webhook-signature']).split(' ');
  const at = new Date(Number(arrived.headers['webhook-timestamp']) * 1_000);
  const id = String(arrived.headers['webhook-id']);
  expect(signatures).toEqual(secrets.slice(0, 5).map((one) => new Webhook(one).sign(id, at, arrived.body)));
});

test('of rotations at the same time none puts out of force what another has made', async () => {
  const { tenant, key, secret } = await tenantWithSecret();
  const young = await Promise.all([rotated(key), rotated(key), rotated(key)]);
  const deliver = await deliveringTo(tenant);
  const arrived = await deliver();
  for (const one of [secret, ...young]) verify(one, arrived);
});

test('a try that is answered with 500 is made again later, with the same body and id', async () => {
  const { key, tenant, secret } = await tenantWithSecret();
  const receiver = await startReceiver(status(500), status(503), status(200));
  const { job, token } = await tenant.running({ webhookUrl: receiver.url });
  await tenant.complete(token, { z: 1, y: { x: 2 } });
  const { host } = new URL(receiver.url);

  for (const [tries, code] of [[1, 500], [2, 503]] as const) {
    await eventually(async () => {
      expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([
        {
          status: 'PENDING',
          attemptCount: tries,
          lastResponseStatus: code,
          lastError: `${host} answered ${code}. Respond with any 2xx to accept the delivery.`,
          deliveredAt: null,
        },
      ]);
    });
    // Once: a second time could make the try after the next one due as well.
    await becomeDueAgain(longhaul);
    await eventually(() => expect(receiver.received).toHaveLength(tries + 1));
  }
  await eventually(async () => {
    expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([
      { status: 'DELIVERED', attemptCount: 3, lastResponseStatus: 200, lastError: null },
    ]);
  });
  expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  for (const one of receiver.received) verify(secret, one);
});

test('the pauses between tries grow, and add up to about a day; then the delivery is given up, and can be sent again', async () => {
  const { key, tenant } = await tenantWithSecret();
  const tries = 17;
  let arrivedAt = 0;
  const refuse: Answering = (response) => {
    arrivedAt = performance.now();
    response.writeHead(500).end();
  };
  const receiver = await startReceiver(...manyTimes(tries, refuse), status(200));
  const { job, token } = await tenant.running({ webhookUrl: receiver.url });
  await tenant.complete(token);
  // In seconds. Each began at some time between the arrival of its try and the look at it.
  const pauses: { least: number; most: number }[] = [];
  for (let made = 1; made < tries; made++) {
    const pause = await eventually(async () => {
      const [waiting] = await longhaul.services.database.hot.query<{ seconds: number }>(
        `SELECT extract(epoch FROM due_at - now())::float8 AS seconds FROM webhook_delivery
         WHERE NOT ready AND NOT sending AND tries = $1 AND workspace_id = $2`,
        [made, tenant.id],
      );
      if (waiting === undefined) throw new Error(`no try after the ${made}.`);
      return { least: waiting.seconds, most: waiting.seconds + (performance.now() - arrivedAt) / 1_000 };
    });
    pauses.push(pause);
    await becomeDueAgain(longhaul);
  }
  pauses.forEach(({ least, most }, index) => {
    expect(most).toBeGreaterThan(Math.min(5 * 2 ** index, 14_400));
    expect(least).toBeLessThanOrEqual(Math.min(10 * 2 ** index, 14_400));
  });
  const hours = (side: 'least' | 'most') => pauses.reduce((sum, pause) => sum + pause[side], 0) / 3_600;
  expect(hours('most')).toBeGreaterThan(21);
  expect(hours('least')).toBeLessThan(26);

  await eventually(async () => {
    expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([{ status: 'FAILED', attemptCount: tries }]);
  });
  const [given] = await deliveriesOf(longhaul, key, job.id);
  const { data } = await longhaul.graphql(redeliver, { id: given?.['id'] }, key);
  expect(data?.['redeliverWebhook']).toMatchObject({
    __typename: 'RedeliverWebhookPayload',
    delivery: { id: given?.['id'], attemptCount: tries },
  });
  await eventually(async () => {
    expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([{ status: 'DELIVERED', attemptCount: tries + 1 }]);
  });
});

test('a delivery that arrived can be sent again, under the same id', async () => {
  const { key, tenant, secret } = await tenantWithSecret();
  const receiver = await startReceiver();
  const { job, token } = await tenant.running({ webhookUrl: receiver.url });
  await tenant.complete(token);
  await eventually(async () => expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([{ status: 'DELIVERED' }]));
  const [first] = await deliveriesOf(longhaul, key, job.id);
  const { data } = await longhaul.graphql(redeliver, { id: first?.['id'] }, key);
  expect(data?.['redeliverWebhook']).toMatchObject({ __typename: 'RedeliverWebhookPayload' });
  await eventually(async () => {
    expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([{ status: 'DELIVERED', attemptCount: 2 }]);
  });
  const [one, two] = receiver.received;
  expect(two?.body).toBe(one?.body);
  expect(two?.headers['webhook-id']).toBe(one?.headers['webhook-id']);
  if (two !== undefined) verify(secret, two);
});

test('a try that ends after its delivery was asked for again changes nothing', async () => {
  const { key, tenant } = await tenantWithSecret();
  let letGo: (() => void) | undefined;
  const receiver = await startReceiver(
    (response) => {
      letGo = () => void response.writeHead(500).end();
    },
    status(200),
  );
  const { job, token } = await tenant.running({ webhookUrl: receiver.url });
  await tenant.complete(token);
  await eventually(() => expect(receiver.received).toHaveLength(1));
  const [slow] = await deliveriesOf(longhaul, key, job.id);
  await longhaul.graphql(redeliver, { id: slow?.['id'] }, key);
  const delivered = { status: 'DELIVERED', attemptCount: 1, lastResponseStatus: 200 };
  await eventually(async () => expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([delivered]));
  letGo?.();
  // The late one is over when its process has no try under way.
  await eventually(() => expect(longhaul.deliverer.size).toBe(0));
  expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([delivered]);
  // It left no try behind that would be found together with the next delivery.
  await tenant.complete((await tenant.running({ webhookUrl: receiver.url })).token);
  await eventually(async () => {
    await becomeDueAgain(longhaul);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
  });
  expect(receiver.received).toHaveLength(3);
  expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([delivered]);
});

test("another workspace's delivery looks like one that does not exist", async () => {
  const { key, tenant } = await tenantWithSecret();
  const stranger = await (await longhaul.workspace()).key();
  const receiver = await startReceiver();
  const { job, token } = await tenant.running({ webhookUrl: receiver.url });
  await tenant.complete(token);
  await eventually(async () => expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([{ status: 'DELIVERED' }]));
  const [delivery] = await deliveriesOf(longhaul, key, job.id);
  const answers = [];
  for (const id of [delivery?.['id'], 'delivery_00000000-0000-7000-8000-000000000000', 'nonsense']) {
    answers.push((await longhaul.graphql(redeliver, { id }, stranger)).data?.['redeliverWebhook']);
  }
  const notFound = { __typename: 'NotFoundError', code: 'NOT_FOUND' };
  expect(answers).toEqual([notFound, notFound, notFound]);
  expect(await deliveriesOf(longhaul, key, job.id)).toMatchObject([{ status: 'DELIVERED', attemptCount: 1 }]);
});

test('a key that may only read neither redelivers nor rotates', async () => {
  const workspace = await longhaul.workspace();
  const key = await workspace.key({ scopes: ['READ'] });
  for (const [query, variables] of [[rotate, {}], [redeliver, { id: 'delivery_x' }]] as const) {
    const { errors } = await longhaul.graphql(query, variables, key);
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
});

function manyTimes<T>(count: number, value: T): [T, ...T[]] {
  return [value, ...Array.from({ length: count - 1 }, () => value)];
}
