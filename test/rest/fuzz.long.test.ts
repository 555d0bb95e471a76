import { request } from 'node:http';
import type { Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RestDialect } from '../../src/rest/core/rest-dialect.ts';
import { dialects } from '../../src/rest/dialects.ts';
import type { Route } from '../../src/rest/core/call.ts';
import { vidocuId } from '../../src/rest/vidocu/vidocu-id.ts';
import { secretPrefixes } from '../../src/workspaces/api-key.ts';
import type { Dialect } from '../../src/workspaces/dialect.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { Described } from '../support/openapi.ts';
import { submit } from '../support/steps.ts';

/** A client that offers a coding gets it. */
const decoders: Record<string, () => Transform> = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress };

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

const described = await Described.read();

interface Sent {
  method: string;
  /** The route's path in schema/openapi.json, where it is asked as that says. */
  described: string | null;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

type Asked = RestDialect & Pick<Route, 'path' | 'method'>;

const routes: readonly Asked[] = dialects.flatMap((dialect) =>
  dialect.routes.map(({ path, method }) => ({ ...dialect, path, method })),
);

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

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
  since_seconds: 60,
};
const fields = [...Object.keys(plausible), 'job_id', '__proto__', 'x'];
const values = ['', 'a\0', '\uD800', 7, null, {}];

const body = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .dictionary(fc.constantFrom(...fields), fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...values)), { maxKeys: 3 })
      .map((changed) => JSON.stringify({ ...plausible, job_id: ids[0], ...changed })),
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

/** Visible characters, blanks inside: what may stand in a header at all. */
const headerText = fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/);

/** Headers that a route or the server looks at, and others. A wait is the shortest there is: somebody waits for it here. */
const headers = fc.dictionary(
  fc.constantFrom('if-none-match', 'accept', 'accept-encoding', 'range', 'x-forwarded-host', 'idempotency-key', 'expect', 'te'),
  fc.oneof(fc.constantFrom('*', '"x"', 'W/"x"', '"', '*/*', 'bytes=0-0', 'application/xml'), headerText),
  { maxKeys: 2 },
);
const prefer = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  { weight: 3, arbitrary: fc.constantFrom('wait=0', 'wait=', 'wait=-1', 'wait=1e9', 'respond-async', 'wait="', '\tx') },
  { weight: 2, arbitrary: fc.constantFrom('wait=1', 'respond-async, wait=1') },
  // What it may say by chance is not waited for.
  { weight: 2, arbitrary: headerText.map((said) => said.replaceAll(/\d/g, '0')) },
);

function sentTo(route: Asked, method: string): fc.Arbitrary<Sent> {
  return fc
    .record({
      prefixed: fc.constantFrom('own', 'own', 'none', 'another'),
      another: fc.constantFrom(...dialects),
      id: fc.nat(6),
      tail: fc.constantFrom('', '', '', '', '/', '/more'),
      query,
      secret: fc.oneof(fc.constant('own'), fc.constant('own'), fc.constant('none'), fc.nat(6)),
      header: fc.option(fc.constantFrom('authorization', 'x-api-key'), { freq: 2 }),
      host: fc.constantFrom('localhost', 'localhost', 'api.vidocu.test', 'api.vydra.test', '[::1]:80', ''),
      type: fc.constantFrom('application/json', 'application/json', 'application/json; charset=utf-8', 'text/plain', 'x', ''),
      headers,
      prefer,
      body,
    })
    .map(({ prefixed, another, id, tail, secret, header, host, type, prefer: wish, ...asked }) => {
      const prefix = { own: route.prefix, none: '', another: another.prefix }[prefixed] ?? '';
      const key = typeof secret === 'number' ? (secrets[secret] ?? '') : secret === 'own' ? secretOf(route.name) : '';
      const place = header ?? (route.credential === 'bearer' ? 'authorization' : 'x-api-key');
      return {
        method,
        described: prefixed === 'own' && tail === '' && method === route.method ? route.prefix + route.path : null,
        path: prefix + route.path.replace(/\{\w+\}/, ids[id] ?? '') + tail + asked.query,
        headers: {
          ...asked.headers,
          host,
          ...(wish === '' ? {} : { prefer: wish }),
          ...(type === '' ? {} : { 'content-type': type }),
          ...(key === '' ? {} : { [place]: place === 'authorization' ? `Bearer ${key}` : key }),
        },
        body: Buffer.from(asked.body),
      };
    });
}

/** Over a connection of its own, since what breaks one must not be taken for the next one's. */
function send({ method, path, headers: sent, body: bytes }: Sent): Promise<{ status: number; headers: Headers; said: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(longhaul.url);
    const all = { ...sent, 'content-length': bytes.length };
    const asked = request({ port, host: 'localhost', method, path, headers: all, agent: false });
    asked.setTimeout(10_000, () => asked.destroy(new Error('this request hangs')));
    asked.on('error', reject);
    asked.on('response', (response) => {
      const got = new Headers(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
      const decode = decoders[response.headers['content-encoding'] ?? ''];
      const plain = decode === undefined || asked.method === 'HEAD' ? response : response.pipe(decode().on('error', reject));
      text(plain).then((said) => resolve({ status: response.statusCode ?? 0, headers: got, said }), reject);
    });
    asked.end(bytes);
  });
}

test('every route answers whatever comes by every method, as the document says and never with a 5xx', { timeout: 120_000 }, async () => {
  const statuses = new Set<number>();
  const check = async (asked: Sent) => {
    const { status, headers: got, said } = await send(asked);
    expect(status).toBeGreaterThanOrEqual(200);
    expect(status).toBeLessThan(500);
    statuses.add(status);
    if (said !== '') expect(got.get('content-type')).toBe('application/json; charset=utf-8');
    const value = said === '' ? undefined : JSON.parse(said);
    if (asked.method === 'HEAD') expect(said).toBe('');
    // 417 is Node's own answer to an expectation that nobody can meet (RFC 9110, section 10.1.1).
    if (asked.described === null || status === 417) return;
    described.expectAnswer(asked.method, asked.described, { status, headers: got, body: value });
  };
  for (const route of routes) {
    for (const method of methods) {
      // What the route takes comes furthest.
      const numRuns = method === route.method ? 400 : 30;
      await fc.assert(fc.asyncProperty(sentTo(route, method), check), { numRuns });
    }
  }
  // It went past the keys, and to the bottom of every kind of route.
  expect([...statuses]).toEqual(expect.arrayContaining([200, 202, 400, 401, 404, 405, 422]));
});
