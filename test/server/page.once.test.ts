import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/log.ts';
import { startApp } from '../../src/server/app.ts';
import { loadConfig } from '../../src/server/configuration.ts';
import { SignInCode } from '../../src/workspaces/sign-in-code.ts';
import { type BuiltPage, builtPage } from '../support/built-page.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { testFolder } from '../support/process.ts';
import { RawHttp } from '../support/raw-http.ts';
import { Visitor } from '../support/visitor.ts';

let built: BuiltPage;
let longhaul: Longhaul;
beforeAll(async () => {
  built = await builtPage();
  longhaul = await startLonghaul({ COMPAT_HOSTS: 'api.vidocu.ai=vidocu' }, { dashboardFolder: built.folder });
});
afterAll(async () => {
  await longhaul.stop();
  await built.remove();
});

const get = (path: string, headers: Record<string, string> = {}) => fetch(longhaul.url + path, { headers, redirect: 'manual' });

test('the page runs no script but its own files, makes no markup of texts, may not be framed, and comes from this server alone', async () => {
  const page = await get('/');
  expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([200, 'text/html; charset=utf-8', built.html]);
  const policy = page.headers.get('content-security-policy') ?? '';
  for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'"]) {
    expect(policy.split('; ')).toContain(rule);
  }
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const head = await fetch(longhaul.url, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-security-policy'), await head.text()]).toEqual([200, policy, '']);
});

test('its files are kept for ever, compressed if the browser takes that', async () => {
  const types: Record<string, string> = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml', png: 'image/png' };
  for (const [name, content] of Object.entries(built.assets)) {
    for (const coding of ['br', 'gzip', 'identity']) {
      const file = await get(`/assets/${name}`, { 'accept-encoding': coding });
      expect([file.status, file.headers.get('content-type')]).toEqual([200, types[name.split('.')[1] ?? '']]);
      expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(file.headers.get('vary')).toContain('Accept-Encoding');
      expect(file.headers.get('content-encoding')).toBe(name.endsWith('.png') ? 'identity' : coding);
      if (coding !== 'identity' && content.length > 3_000) expect(Number(file.headers.get('content-length'))).toBeLessThan(content.length / 4);
      expect(Buffer.from(await file.arrayBuffer())).toEqual(Buffer.from(content));
    }
  }
  expect((await fetch(`${longhaul.url}/assets/jobs-B7-k9q2e.js`, { method: 'HEAD' })).status).toBe(200);
});

test.each(['/assets/', '/assets/none-12345678.js', '/assets/..%2findex.html', '/assets/%2e%2e/index.html', '/assets/..%5cindex.html', '/assets/.js', '/assets/x%00.js', '/assets/jobs', '/index.html', '/session'])(
  'there is nothing at %s',
  async (path) => expect([404, 405]).toContain((await get(path)).status),
);

test('on the host of a dialect there is no page', async () => {
  const http = await RawHttp.open(longhaul.url);
  expect((await http.ask('GET / HTTP/1.1\r\nHost: api.vidocu.ai\r\n\r\n')).status).toBe(404);
});

test('what was not built is said, until it is', async () => {
  const folder = await testFolder();
  const early = await startLonghaul({}, { dashboardFolder: folder });
  onTestFinished(() => early.stop());
  const told = await fetch(early.url);
  expect([told.status, await told.text()]).toEqual([200, expect.stringMatching(/not built: run <code>npm run build<\/code>[^]*href="graphql"/)]);
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Built</title>');
  expect(await (await fetch(early.url)).text()).toContain('Built');
});

test('DASHBOARD=false leads to GraphiQL instead', async () => {
  const off = await startLonghaul({ DASHBOARD: 'false' }, { dashboardFolder: built.folder });
  onTestFinished(() => off.stop());
  const home = await fetch(off.url, { redirect: 'manual' });
  expect([home.status, home.headers.get('location')]).toEqual([302, '/graphql']);
  expect((await fetch(`${off.url}/assets/jobs-B7-k9q2e.js`)).status).toBe(404);
});

test('the first start of an embedded installation gives an address that signs in once, and a later one none', async () => {
  const DATA_DIR = await testFolder();
  const start = async (env: Record<string, string> = {}, dashboardFolder = built.folder) => {
    const app = await startApp(loadConfig({ PORT: '0', ROLE: 'api', DATA_DIR, ...env }), { log: silentLog, onFatal: () => {}, dashboardFolder });
    onTestFinished(() => app.stop());
    return app;
  };
  const first = await start();
  const [, code = ''] = /^\/#\/sign-in\?code=([\w-]{32})$/.exec(first.signInPath ?? '') ?? [];
  const browser = new Visitor(first.url);
  expect((await browser.signIn({ code: `${code}x` })).status).toBe(401);
  expect((await browser.signIn({ code })).status).toBe(204);
  expect(await browser.ask('{ viewer { scopes apiKey { name } } }')).toMatchObject({ data: { viewer: { apiKey: { name: 'admin' }, scopes: expect.arrayContaining(['ADMIN']) } } });
  expect((await new Visitor(first.url).signIn({ code })).status).toBe(401);
  await first.stop();

  const later = await start();
  expect([later.madeKey, later.signInPath, later.showsPage]).toEqual([null, null, true]);
  // It is a new process, and the same person.
  const again = new Visitor(later.url);
  again.cookie = browser.cookie;
  expect((await again.ask('{ viewer { scopes } }')).status).toBe(200);
  await later.stop();

  for (const [env, folder] of [[{ DASHBOARD: 'false' }, built.folder], [{}, await testFolder()]] as const) {
    const other = await start({ ...env, DATA_DIR: await testFolder() }, folder);
    expect([typeof other.madeKey, other.signInPath, other.showsPage]).toEqual(['string', null, false]);
    await other.stop();
  }
});

test('that address signs in for an hour', () => {
  const printed = new Date('2026-01-01T00:00:00Z');
  const after = (minutes: number) => new Date(printed.getTime() + minutes * 60_000);
  const early = new SignInCode('a key', printed);
  expect(early.take(early.code, after(59))).toBe('a key');
  const late = new SignInCode('a key', printed);
  expect(late.take(late.code, after(60))).toBeNull();
  expect(late.take(late.code, after(1))).toBeNull();
});
