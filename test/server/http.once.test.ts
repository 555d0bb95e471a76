import { createServer, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { createGzip, brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseJson } from '../../src/json.ts';
import { type Longhaul, sharedLonghaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { RawHttp } from '../support/raw-http.ts';
import { submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let jobId: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  jobId = (await submit(longhaul, workspace.id)).id;
});
afterAll(() => longhaul.stop());

/** A path that is there, for every kind of route. */
const paths = () => ['/graphql?query=%7B__typename%7D', `/vydra/api/v1/jobs/${jobId}`, `/videoconduit/v1/jobs/${jobId}`, '/docs', '/health/live'];

async function raw(text: string): Promise<{ status: number; body: string }> {
  const http = await RawHttp.open(longhaul.url);
  return http.ask(text.replaceAll('\n', '\r\n'));
}

const rest = () => `Authorization: Bearer ${key}\nAccept: application/json\nConnection: close\n\n`;

const targets = () => [
  { url: `${longhaul.url}/graphql`, body: '{"query":"{ __typename }"}' },
  { url: `${longhaul.url}/vydra/api/v1/jobs`, body: '{"workflow":"house-timelapse","input":{"theme":"x"}}' },
  { url: `${longhaul.url}/videoconduit/v1/download`, body: '{"url":"https://example.com/a.mp4"}' },
];

const postCoded = (url: string, coding: string, body: Buffer | string) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': coding, authorization: `Bearer ${key}` },
    body: new Uint8Array(Buffer.from(body)),
  });

const post = (path: string, type: string, body: string | Uint8Array<ArrayBuffer>) =>
  fetch(longhaul.url + path, { method: 'POST', headers: { 'content-type': type, authorization: `Bearer ${key}` }, body });

const many = () => `{ ${Array.from({ length: 30 }, (_, index) => `a${index}: jobTypes { name description }`).join(' ')} }`;

const ask = (query: string, headers: Record<string, string>) =>
  new Promise<{ headers: Record<string, string | string[] | undefined>; bytes: number }>((resolve, reject) => {
    const body = JSON.stringify({ query });
    const sent = httpRequest(`${longhaul.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers } }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('end', () => resolve({ headers: answer.headers, bytes }));
    });
    sent.on('error', reject).end(body);
  });

const routes = () => ['/graphql', `/vydra/api/v1/jobs/${jobId}`, '/v1/jobs', '/revid/paid/get/job/status', `/artifacts/${jobId}`, '/docs/openapi.json'];

describe('a request line and its host', () => {
  test.each([
    ['HTTP/1.0 without a Host', (path: string) => `GET ${path} HTTP/1.0\n`],
    ['an empty Host', (path: string) => `GET ${path} HTTP/1.1\nHost:\n`],
    ['an IPv6 Host', (path: string) => `GET ${path} HTTP/1.1\nHost: [::1]:4000\n`],
    ['a Host with a dot at its end', (path: string) => `GET ${path} HTTP/1.1\nHost: jobs.example.com.\n`],
    ['absolute-form', (path: string) => `GET http://jobs.example.com${path} HTTP/1.1\nHost: jobs.example.com\n`],
    ['absolute-form of https, in capitals, with another Host', (path: string) => `GET HTTPS://jobs.example.com:444${path} HTTP/1.1\nHost: x\n`],
  ])('%s: the path is found', async (_what, line) => {
    for (const path of paths()) {
      const { status, body } = await raw(line(path) + rest());
      expect({ path, status, body: status === 200 ? '' : body }).toEqual({ path, status: 200, body: '' });
    }
  });

  test.each([
    ['two Hosts', 'Host: a.example\nHost: b.example\n'],
    ['a list of hosts', 'Host: a.example, b.example\n'],
    ['a Host that is a URL', 'Host: http://a.example/\n'],
    ['a Host with a port that is none', 'Host: a.example:port\n'],
    ['a Host with a user name', 'Host: user@a.example\n'],
    ['two keys', 'Host: x\nAuthorization: Bearer lh_another\n'],
    ['two keys in x-api-key', 'Host: x\nX-Api-Key: lh_another\nx-api-key: lh_another\n'],
    ['two idempotency keys', 'Host: x\nIdempotency-Key: a\nIdempotency-Key: b\n'],
    ['two places to resume from', 'Host: x\nLast-Event-ID: 1\nLast-Event-ID: 2\n'],
  ])('%s: 400', async (_what, headers) => {
    for (const path of paths()) {
      const { status, body } = await raw(`GET ${path} HTTP/1.1\n${headers}${rest()}`);
      expect({ path, status, body }).toEqual({ path, status: 400, body: expect.stringContaining('BAD_USER_INPUT') });
    }
  });
});

test.each(['/', '*', '/graphql', '/docs', '/health/live', '/artifacts/x'])('OPTIONS %s names the methods, with a Host or without one', async (target) => {
  for (const line of [`OPTIONS ${target} HTTP/1.0\n\n`, `OPTIONS ${target} HTTP/1.1\nHost: x\nConnection: close\n\n`]) {
    const http = await RawHttp.open(longhaul.url);
    const { status, headers } = await http.ask(line.replaceAll('\n', '\r\n'));
    expect([line, status, headers['allow']]).toEqual([line, 204, expect.stringMatching(/^GET, HEAD/)]);
  }
});

test.each(['*', 'x:443', 'graphql', 'ftp://x/graphql'])('GET %s is 400 or unknown, never a redirect', async (target) => {
  expect([400, 404]).toContain((await raw(`GET ${target} HTTP/1.1\nHost: x\n${rest()}`)).status);
});

describe('a compressed body', () => {
  const codings = { gzip: gzipSync, 'x-gzip': gzipSync, GZIP: gzipSync, deflate: deflateSync, br: brotliCompressSync };
  test.each(Object.entries(codings))('is taken as %s', async (coding, compress) => {
    for (const { url, body } of targets()) {
      const plain = await postCoded(url, 'identity', body);
      const answer = await postCoded(url, coding, compress(body));
      expect({ url, status: answer.status, text: answer.ok ? '' : await answer.text() }).toEqual({ url, status: plain.status, text: '' });
    }
  });

  test('in a coding that we do not know is 415, with those that we do', async () => {
    for (const { url, body } of targets()) {
      for (const coding of ['compress', 'zstd', 'gzip, gzip']) {
        const answer = await postCoded(url, coding, body);
        expect([url, coding, answer.status, answer.headers.get('accept-encoding')]).toEqual([url, coding, 415, 'gzip, deflate, br']);
        expect(await answer.text()).toContain('Content-Encoding');
      }
    }
  });

  test('that is not what it says, or breaks off, is 400', async () => {
    for (const { url, body } of targets()) {
      for (const wrong of [body, gzipSync(body).subarray(0, -4), deflateSync(body)]) {
        const answer = await postCoded(url, 'gzip', wrong);
        expect([url, answer.status]).toEqual([url, url.includes('videoconduit') ? 422 : 400]);
      }
    }
  });

  test('that expands beyond the limit is 413, however small it comes', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    expect(bomb.length).toBeLessThan(100_000);
    for (const { url } of targets()) expect([url, (await postCoded(url, 'gzip', bomb)).status]).toEqual([url, 413]);
  });
});

describe('a body', () => {
  test('of JSON by any name is taken on every surface', async () => {
    for (const type of ['application/json', 'application/json; charset=utf-8', 'application/vnd.api+json', 'APPLICATION/JSON;charset=latin1']) {
      expect([type, (await post('/graphql', type, '{"query":"{ __typename }"}')).status]).toEqual([type, 200]);
      expect([type, (await post('/vydra/api/v1/jobs', type, '{"workflow":"house-timelapse","input":{}}')).status]).toEqual([type, 201]);
    }
  });

  test('that is not UTF-8 is told so, and its media type is not to blame', async () => {
    const head = '{"workflow":"house-timelapse","url":"https://example.com/a","query":"{ __typename }","text":"caf';
    const latin1 = new Uint8Array(Buffer.from(`${head}é"}`, 'latin1'));
    for (const path of ['/graphql', '/vydra/api/v1/jobs', '/vidocu/v1/videos/v1/analyze', '/videoconduit/v1/download']) {
      const answer = await post(path, 'application/json; charset=iso-8859-1', latin1);
      const text = await answer.text();
      expect([path, answer.status < 500 && answer.status >= 400]).toEqual([path, true]);
      expect(text).not.toMatch(/Content-Type|\uFFFD/);
    }
  });
});

describe('an answer', () => {
  test('of more than a kilobyte is compressed for who takes it', async () => {
    const plain = await ask(many(), {});
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers['vary']).toContain('Accept-Encoding');
    for (const [accepted, coding] of [['gzip', 'gzip'], ['gzip, deflate, br', 'gzip'], ['br', 'br'], ['gzip;q=0, br', 'br']] as const) {
      const { headers, bytes } = await ask(many(), { 'accept-encoding': accepted });
      expect([accepted, headers['content-encoding']]).toEqual([accepted, coding]);
      expect(bytes).toBeLessThan(plain.bytes / 2);
    }
    for (const accepted of ['identity', 'zstd', 'gzip;q=0', '']) {
      expect((await ask(many(), { 'accept-encoding': accepted })).headers['content-encoding']).toBeUndefined();
    }
    expect((await ask('{ __typename }', { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBeUndefined();
  });

  test('to a key is stored by nobody, and depends on the key', async () => {
    for (const path of ['/graphql?query=%7B__typename%7D', `/vydra/api/v1/jobs/${jobId}`]) {
      const { headers } = await fetch(longhaul.url + path, { headers: { authorization: `Bearer ${key}` } });
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('vary')).toMatch(/Authorization, X-Api-Key/);
    }
  });

  test('to HEAD has the headers of GET, and no body', async () => {
    for (const path of paths()) {
      const headers = { authorization: `Bearer ${key}`, accept: '*/*' };
      const get = await fetch(longhaul.url + path, { headers });
      await get.arrayBuffer();
      const head = await fetch(longhaul.url + path, { method: 'HEAD', headers });
      expect([path, head.status, await head.text()]).toEqual([path, get.status, '']);
      for (const name of ['content-type', 'etag', 'cache-control']) expect([path, name, head.headers.get(name)]).toEqual([path, name, get.headers.get(name)]);
    }
  });

  test.each(['{ __typename }', 'subscription { jobUpdates { cursor } }'])('to HEAD has the headers of an event stream, and ends: %s', async (query) => {
    const url = `${longhaul.url}/graphql?${new URLSearchParams({ query })}`;
    const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream' };
    const leave = new AbortController();
    const get = await fetch(url, { headers, signal: leave.signal });
    const head = await fetch(url, { method: 'HEAD', headers });
    expect(await head.text()).toBe('');
    for (const name of ['content-type', 'cache-control', 'vary', 'x-accel-buffering']) {
      expect([name, head.headers.get(name)]).toEqual([name, get.headers.get(name)]);
    }
    leave.abort();
  });
});

describe('a page of another origin', () => {
  const origin = 'https://app.example.com';
  const preflight = (url: string, path: string) =>
    fetch(url + path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type,idempotency-key' },
    });

  test('may call every route with a key, and never with cookies', async () => {
    for (const path of routes()) {
      const { status, headers } = await preflight(longhaul.url, path);
      expect([path, status, headers.get('access-control-allow-origin')]).toEqual([path, 204, '*']);
      expect(headers.get('access-control-allow-methods')).toMatch(/GET.*HEAD.*POST.*DELETE/);
      expect(headers.get('access-control-allow-headers')).toBe('authorization,content-type,idempotency-key');
      expect(Number(headers.get('access-control-max-age'))).toBeGreaterThan(600);
      const answer = await fetch(longhaul.url + path, { headers: { origin } });
      expect([path, answer.headers.get('access-control-allow-origin')]).toEqual([path, '*']);
      for (const name of ['ETag', 'Retry-After', 'Location', 'X-Job-Id', 'X-RateLimit-Remaining', 'Content-Disposition']) {
        expect(answer.headers.get('access-control-expose-headers')).toContain(name);
      }
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  test('does not see health and metrics', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics']) {
      expect((await fetch(longhaul.url + path, { headers: { origin } })).headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('is one of CORS_ORIGINS, if that is set; and PUBLIC_URL under a path stays in what leads on', async () => {
    const chosen = await startLonghaul({ CORS_ORIGINS: `${origin} http://localhost:5173`, PUBLIC_URL: 'https://example.com/api/jobs/', DASHBOARD: 'false' });
    try {
      for (const path of routes()) {
        const { headers } = await preflight(chosen.url, path);
        expect([path, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([path, origin, expect.stringContaining('Origin')]);
        const other = await fetch(chosen.url + path, { headers: { origin: 'https://evil.example' } });
        expect([path, other.headers.get('access-control-allow-origin'), other.headers.get('vary')]).toEqual([path, null, expect.stringContaining('Origin')]);
      }
      const events = await fetch(`${chosen.url}/graphql?query=%7B__typename%7D`, { headers: { origin, accept: 'text/event-stream' } });
      expect(events.headers.get('access-control-allow-origin')).toBe(origin);
      await events.text();
      const home = await fetch(chosen.url, { redirect: 'manual' });
      expect([home.status, home.headers.get('location')]).toEqual([302, '/api/jobs/graphql']);
      const document: unknown = await (await fetch(`${chosen.url}/docs/openapi.json`)).json();
      expect(document).toMatchObject({ servers: [{ url: 'https://example.com/api/jobs' }] });
    } finally {
      await chosen.stop();
    }
  });
});

test('events reach a client at once through a proxy that compresses', async () => {
  const { port, hostname } = new URL(longhaul.url);
  const proxy = createServer((request, response) => {
    const passed = httpRequest({ hostname, port, path: request.url, method: request.method, headers: request.headers }, (answer) => {
      if (/no-transform/.test(answer.headers['cache-control'] ?? '')) return void answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers));
      answer.pipe(createGzip()).pipe(response.writeHead(answer.statusCode ?? 500, { 'content-encoding': 'gzip' }));
    });
    response.once('close', () => passed.destroy());
    request.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const address = proxy.address();
  const query = `subscription { jobProgress(id: "${jobId}") { version } }`;
  const leave = new AbortController();
  const answers = await Promise.all([
    fetch(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/graphql`, {
      method: 'POST',
      signal: leave.signal,
      headers: { accept: 'text/event-stream', 'accept-encoding': 'gzip', 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query }),
    }),
    fetch(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/graphql?${new URLSearchParams({ query })}`, {
      signal: leave.signal,
      headers: { accept: 'text/event-stream', 'accept-encoding': 'gzip', authorization: `Bearer ${key}` },
    }),
  ]);
  for (const { headers, body } of answers) {
    expect(headers.get('cache-control')).toBe('no-cache, no-transform');
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('event: next')) text += (await reader?.read())?.value ?? '';
    expect(parseJson(/data: (.*)/.exec(text)?.[1] ?? '')).toEqual({ data: { jobProgress: { version: 1 } } });
  }
  leave.abort();
});
