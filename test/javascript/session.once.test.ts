import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { UnauthenticatedError } from '../../clients/js/src/index.ts';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { packageUser, ways } from '../support/javascript-client.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { Visitor } from '../support/visitor.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const whoAmI = '{ viewer { apiKey { name } } }';

/** As a browser adds them to what the server's own page sends. */
const addedBy = ({ cookie, own }: Visitor) => ({ ...own, ...(cookie === null ? {} : { cookie }) });

test.each(ways)('a client without credentials of its own has the session of its browser over $over, and is told when that has ended', async ({ over, options }) => {
  const browser = new Visitor(longhaul.url);
  class BrowserSocket extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols, { headers: addedBy(browser) });
    }
  }
  const send = options.fetch ?? fetch;
  const { client, key, requests } = await packageUser(longhaul, {
    WebSocket: BrowserSocket,
    ...options,
    auth: null,
    fetch: (input, init) => send(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...addedBy(browser) } }),
  });
  await expect(client.query(whoAmI)).rejects.toThrow(UnauthenticatedError);
  // It is not tried again.
  expect(requests).toHaveLength(1);
  await expect(client.handle('job_nothing').result()).rejects.toThrow(UnauthenticatedError);

  await browser.signIn({ key });
  expect(await client.query(whoAmI)).toEqual({ viewer: { apiKey: { name: 'test' } } });
  const updates = (await client.submit('comments', { sourceUrl: 'https://example.com/a.mp4' })).updates();
  const events = updates[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({ status: 'PENDING' });
  expect(updates.transport).toBe(over);

  const revoked = await longhaul.services.authenticator.find(key);
  await revokeApiKey(longhaul.services.database, longhaul.services.authenticator, revoked?.id ?? '');
  await expect(events.next()).rejects.toThrow(UnauthenticatedError);
  const before = requests.length;
  await expect(client.query(whoAmI)).rejects.toThrow(UnauthenticatedError);
  expect(requests.length).toBe(before + 1);
});
