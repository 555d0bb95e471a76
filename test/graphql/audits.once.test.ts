import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  key = await (await longhaul.workspace()).key();
});
afterAll(() => longhaul.stop());

const audits = serverAudits({
  // Asked for by each audit, when there is a server.
  url: () => `${longhaul.url}/graphql`,
  fetchFn: (url: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${key}`);
    return fetch(url, { ...init, headers });
  },
});

test('there are audits of every level', () => {
  const levels = Map.groupBy(audits, ({ name }) => name.split(' ')[0]);
  expect([...levels.keys()].toSorted()).toEqual(['MAY', 'MUST', 'SHOULD']);
  expect(audits.length).toBeGreaterThan(50);
});

// The MAY ones too: each is a choice that the specification leaves open, and a change of it should be one on purpose.
test.each(audits)('GraphQL over HTTP, $id: $name', async ({ fn }) => {
  const result = await fn();
  expect('reason' in result ? result.reason : result.status).toBe('ok');
});
