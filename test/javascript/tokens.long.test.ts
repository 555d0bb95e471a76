import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createClient, type Job, TokenExpiredError } from '../../clients/js/src/index.ts';
import { packageUser, ways } from '../support/javascript-client.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

test.each(ways)('over $over tokens that end in the middle are replaced, once for all that wait, and hide nothing', async ({ options }) => {
  const { tenant, key } = await packageUser(longhaul);
  const held = await Promise.all([1, 2, 3].map(() => tenant.running({ tags: ['t'] })));
  // Three lives of a second or two, then one that lasts.
  const lives = [1_500, 1_500, 1_500];
  let asked = 0;
  let asking = 0;
  const { client, requests } = await packageUser(longhaul, {
    ...options,
    auth: async () => {
      asked += 1;
      asking += 1;
      expect(asking).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      asking -= 1;
      return tokenFor(key, lives.shift() ?? 3_600_000);
    },
  });
  const loops = held.map(async ({ job }) => {
    const seen: Job[] = [];
    for await (const update of client.handle(job.id).updates()) seen.push(update);
    return seen;
  });
  await vi.waitFor(() => expect(asked).toBe(4), { timeout: 15_000 });
  for (const { token } of held) {
    await tenant.report(token, { percentage: 50 });
    await tenant.complete(token);
  }
  for (const seen of await Promise.all(loops)) {
    expect(seen[0]?.status).toBe('RUNNING');
    expect(seen.at(-1)?.status).toBe('COMPLETED');
    const versions = seen.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].toSorted((one, other) => one - other));
  }
  expect(requests.every(({ response }) => response === null || response.status === 200 || response.status === 401)).toBe(true);
});

test('a call whose token has ended is made again with a fresh one', async () => {
  const { key } = await packageUser(longhaul);
  let asked = 0;
  const { client } = await packageUser(longhaul, { auth: async () => tokenFor(key, (asked += 1) === 1 ? -1_000 : 60_000) });
  expect(await Promise.all([client.jobs().page(), client.jobs().page()])).toEqual([{ jobs: [], next: null }, { jobs: [], next: null }]);
  expect(asked).toBe(2);
});

test('a token of no function, and one that is never fresh, is told as expired', async () => {
  const { key, tenant } = await packageUser(longhaul);
  const { id } = await tenant.create({ tags: ['t'] });
  const auths = [await tokenFor(key, -1_000), () => tokenFor(key, -1_000)];
  for (const auth of auths) {
    const client = createClient({ url: longhaul.url, auth });
    await expect(client.jobs().page()).rejects.toThrow(TokenExpiredError);
    await expect(client.handle(id).result()).rejects.toThrow(TokenExpiredError);
  }
});

test('what auth throws is what the caller gets, but for a network that is away', async () => {
  const { tenant, key } = await packageUser(longhaul);
  const { id } = await tenant.create({ tags: ['t'] });
  const signedOut = createClient({ url: longhaul.url, auth: () => Promise.reject(new Error('signed out')) });
  await expect(signedOut.jobs().page()).rejects.toThrow('signed out');
  await expect(signedOut.handle(id).result()).rejects.toThrow('signed out');
  let away = 2;
  const { client } = await packageUser(longhaul, { auth: () => (away-- > 0 ? Promise.reject(new TypeError('fetch failed')) : Promise.resolve(key)) });
  for await (const { status } of client.handle(id).updates()) if (status === 'PENDING') break;
  expect(away).toBeLessThan(0);
});

/** A token that reads the jobs of the tag `t`. */
async function tokenFor(key: string, milliseconds: number): Promise<string> {
  const { services } = longhaul;
  const found = await services.authenticator.find(key);
  if (found === null) throw new Error('There is no such key.');
  return services.accessTokens.sign({
    apiKeyId: found.id,
    workspaceId: found.workspaceId,
    restriction: { tags: ['t'], types: null },
    scopes: ['READ'],
    expiresAt: new Date(Date.now() + milliseconds),
  });
}
