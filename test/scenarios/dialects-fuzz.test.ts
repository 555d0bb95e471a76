import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dialects } from '../../src/rest/dialects.ts';
import { vidocuId } from '../../src/rest/vidocu/id.ts';
import { secretPrefixes } from '../../src/workspaces/api-key.ts';
import type { Dialect } from '../../src/workspaces/dialect.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { submit } from '../support/steps.ts';

let longhaul: Longhaul;
let secrets: string[];
let ids: string[];
beforeAll(async () => {
  longhaul = await startLonghaul({ COMPAT_HOSTS: 'api.vidocu.test=vidocu,api.vydra.test=vydra' });
  const workspace = await longhaul.workspace();
  secrets = ['vc_0000', 'vdo_live_0000'];
  for (const dialect of ['NATIVE', ...dialects.map(({ name }) => name)] as const) {
    secrets.push(await workspace.key({ dialect, secret: secretOf(dialect) }));
  }
  const job = await submit(longhaul, workspace.id);
  ids = [job.id, vidocuId(job), 'none', '%F0%9F', '%00', '..', 'x'.repeat(3_000)];
});
afterAll(() => longhaul.stop());

function secretOf(dialect: Dialect): string {
  return `${secretPrefixes[dialect]}${dialect}-0000000000000000`;
}

interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

const routes = dialects.flatMap((dialect) => dialect.routes.map(({ path, method }) => ({ ...dialect, path, method })));

/** What one dialect or another asks for. */
const plausible: Record<string, unknown> = {
  url: 'https://example.com/a.mp4',
  webhook_url: 'https://example.com/hook',
  webhookUrl: 'https://example.com/hook',
  media_url: 'https://example.com/a.mp4',
  workflow: 'house-timelapse',
  input: { theme: 'A lighthouse' },
  language: 'en',
  voiceId: 'EXAV',
  id: 'mine',
  job_id: '0198c0de-0000-7000-8000-000000000000',
  since_seconds: 60,
};
const fields = [...Object.keys(plausible), '__proto__', 'x'];
const values = ['', 'a\0', '\uD800', 7, null, {}];

const body = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .dictionary(fc.constantFrom(...fields), fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...values)), { maxKeys: 3 })
      .map((changed) => JSON.stringify({ ...plausible, ...changed })),
  },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.constantFrom('', '{', '['.repeat(20_000), 'null', '1e999') },
);

const queryNames = ['limit', 'cursor', 'status', 'job_type', 'offset', 'x'];
const queryValues = ['1', '0', '-1', 'failed', 'running', '%00', '%', '9'.repeat(30)];

const query = fc
  .array(fc.tuple(fc.constantFrom(...queryNames), fc.oneof(fc.constantFrom(...queryValues), fc.webQueryParameters())), {
    maxLength: 4,
  })
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`));

const sent: fc.Arbitrary<Sent> = fc
  .record({
    route: fc.constantFrom(...routes),
    prefixed: fc.constantFrom('own', 'own', 'none', 'another'),
    another: fc.constantFrom(...dialects),
    id: fc.nat(6),
    tail: fc.constantFrom('', '', '', '', '/', '/more'),
    query,
    method: fc.option(fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'), { freq: 2 }),
    secret: fc.oneof(fc.constant('own'), fc.constant('own'), fc.constant('none'), fc.nat(6)),
    header: fc.option(fc.constantFrom('authorization', 'x-api-key'), { freq: 2 }),
    host: fc.constantFrom('localhost', 'localhost', 'api.vidocu.test', 'api.vydra.test', '[::1]:80', ''),
    type: fc.constantFrom('application/json', 'application/json', 'application/json; charset=utf-8', 'text/plain', 'x', ''),
    body,
  })
  .map(({ route, prefixed, another, id, tail, method, secret, header, host, type, ...asked }) => {
    const prefix = { own: route.prefix, none: '', another: another.prefix }[prefixed] ?? '';
    const key = typeof secret === 'number' ? (secrets[secret] ?? '') : secret === 'own' ? secretOf(route.name) : '';
    const place = header ?? (route.credential === 'bearer' ? 'authorization' : 'x-api-key');
    return {
      method: method ?? route.method,
      path: prefix + route.path.replace(/\{\w+\}/, ids[id] ?? '') + tail + asked.query,
      headers: {
        host,
        ...(type === '' ? {} : { 'content-type': type }),
        ...(key === '' ? {} : { [place]: place === 'authorization' ? `Bearer ${key}` : key }),
      },
      body: Buffer.from(asked.body),
    };
  });

/** Over a connection of its own, since what breaks one must not be taken for the next one's. */
function send({ method, path, headers, body: bytes }: Sent): Promise<{ status: number; type: string; said: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(longhaul.url);
    const all = { ...headers, 'content-length': bytes.length };
    const asked = request({ port, host: 'localhost', method, path, headers: all, agent: false });
    asked.setTimeout(10_000, () => asked.destroy(new Error('this request hangs')));
    asked.on('error', reject);
    asked.on('response', (response) => {
      const type = response.headers['content-type'] ?? '';
      text(response).then((said) => resolve({ status: response.statusCode ?? 0, type, said }), reject);
    });
    asked.end(bytes);
  });
}

test('whatever is sent to whichever route, it is answered, in JSON, and never with a 5xx', { timeout: 120_000 }, async () => {
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(sent, async (asked) => {
      const { status, type, said } = await send(asked);
      expect(status).toBeGreaterThanOrEqual(200);
      expect(status).toBeLessThan(500);
      statuses.add(status);
      if (said !== '') {
        expect(type).toBe('application/json; charset=utf-8');
        JSON.parse(said);
      }
      if (asked.method === 'HEAD') expect(said).toBe('');
    }),
    { numRuns: 1_500 },
  );
  // It went past the keys, and to the bottom of every kind of route.
  expect([...statuses]).toEqual(expect.arrayContaining([200, 202, 400, 401, 404, 405, 422]));
});
