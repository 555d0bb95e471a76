import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authenticate } from '../../src/workspaces/authenticate.ts';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { Tenant } from '../support/domain.ts';
import { untilFigures } from '../support/figures.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { RawEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { createRedisServer, hasRedisServer, type RedisServer } from '../support/redis-server.ts';
import { submit } from '../support/steps.ts';

const claiming = 'mutation { claimJobs(input: { types: ["demo"], workerId: "w", waitSeconds: 30 }) { ... on ClaimJobsPayload { leases { token } } } }';
const query = 'subscription ($id: ID!) { jobProgress(id: $id) { version } }';

describe.skipIf(!hasRedisServer())('on two processes with a Redis of their own', () => {
  let redis: RedisServer;
  let first: Longhaul;
  let second: Longhaul;
  beforeAll(async () => {
    redis = await createRedisServer();
    await redis.start();
    first = await startLonghaul({ REDIS_URL: redis.url });
    second = await startLonghaul({ REDIS_URL: redis.url }, { sharing: first });
  });
  afterAll(async () => {
    redis.thaw();
    await second.stop();
    await first.stop();
    await redis.stop();
  });

  test.each(['frozen', 'away', 'well'])(
    'A1: while Redis is %s, a revoked key closes with 4401, its claims get nothing, and an expired token closes with 4403 on another process',
    async (state) => {
      const { services } = first;
      const workspace = await first.workspace();
      const job = await submit(first, workspace.id);
      const [revoked, kept] = [await workspace.key(), await workspace.key()];
      const viewer = await authenticate(services, { secret: kept, address: '127.0.0.1' }, 'NATIVE');
      const expiresAt = new Date((Math.floor(Date.now() / 1_000) + 4) * 1_000);
      const token = await services.accessTokens.sign({ ...viewer, restriction: { jobId: job.id }, scopes: ['READ'], expiresAt });
      const watchers = await Promise.all([revoked, kept, token].map((secret) => watch(second, secret, job.id)));
      const [ofRevoked, ofKept, ofToken] = watchers;
      if (ofRevoked === undefined || ofKept === undefined || ofToken === undefined) throw new Error('nobody watches');
      const claim = second.graphql(claiming, {}, revoked);
      await untilFigures(second, { waiting_claims: 1 });
      if (state === 'frozen') redis.freeze();
      if (state === 'away') await redis.stop();

      const revokedAt = performance.now();
      const { id } = await services.authenticator.find(revoked) ?? { id: '' };
      await revokeApiKey(services.database, services.authenticator, id);
      const unclaimed = await Tenant.of(first, workspace.id).create({ type: 'demo', input: {} });
      expect(await ofRevoked.socket.closed).toBe(4401);
      expect(await ofRevoked.events.over).toBe('cut');
      expect(await claim).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
      // The protocol's own bound.
      expect(performance.now() - revokedAt).toBeLessThan(2_000);
      expect(await services.jobs.find(workspace.id, unclaimed.id)).toMatchObject({ status: 'PENDING', attempt: 0 });
      expect(await ofToken.socket.closed).toBe(4403);
      expect(await ofToken.events.over).toBe('cut');
      expect(Date.now() - expiresAt.getTime()).toBeLessThan(2_000);

      // Who was let in rightly stays.
      await untilFigures(second, { websockets: 1, event_streams: 1, subscriptions: 2, watched_credentials: 2 });
      ofKept.socket.ws.close();
      ofKept.events.response.destroy();
      await untilFigures(second, { websockets: 0, event_streams: 0, subscriptions: 0, watched_credentials: 0 });
      if (state === 'frozen') redis.thaw();
      if (state === 'away') await redis.start();
      await expect.poll(() => second.services.bus.healthy(), { timeout: 20_000 }).toBe(true);
    },
  );
});

async function watch({ url }: Longhaul, secret: string, id: string) {
  const socket = await RawSocket.open(url, secret);
  socket.subscribe('1', { query, variables: { id } });
  const events = await RawEvents.open(url, secret, { query, variables: { id } });
  await Promise.all([
    socket.until(() => socket.payloads('1').length === 1),
    events.until(() => events.payloads.length === 1),
  ]);
  return { socket, events };
}
