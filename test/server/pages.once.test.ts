import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { Described } from '../support/openapi.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const accept = 'text/html,application/xhtml+xml,*/*;q=0.8';

/** The files that a page names, as a browser finds them. */
async function filesOf(address: string): Promise<URL[]> {
  const page = await fetch(address, { headers: { accept } });
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const html = await page.text();
  return [...html.matchAll(/(?:src|href|data-(?:editor|json|graphql))="((?!data:)[^"]+)"/g)].map(([, reference = '']) => new URL(reference, address));
}

describe.each(['/graphql', '/docs', '/docs/'])('the page %s', (path) => {
  test('runs no script but its own files, may not be framed, and comes from this server alone', async () => {
    const { headers } = await fetch(longhaul.url + path, { headers: { accept } });
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/https?:|\*|eval/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const html = await (await fetch(longhaul.url + path, { headers: { accept } })).text();
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|https?:/);
  });

  test('has files that a browser keeps for ever, compressed if it takes that', async () => {
    const files = await filesOf(longhaul.url + path);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      expect(file.origin).toBe(longhaul.url);
      const plain = await fetch(file, { headers: { 'accept-encoding': 'identity' } });
      expect(plain.status, file.pathname).toBe(200);
      expect(plain.headers.get('cache-control')).toContain('immutable');
      expect(plain.headers.get('x-content-type-options')).toBe('nosniff');
      expect(plain.headers.get('vary')).toContain('Accept-Encoding');
      const content = await plain.text();
      if (!/\.(?:js|css)$/.test(file.pathname)) continue;
      for (const coding of ['br', 'gzip']) {
        const compressed = await fetch(file, { headers: { 'accept-encoding': coding } });
        expect(compressed.headers.get('content-encoding'), file.pathname).toBe(coding);
        if (content.length > 10_000) expect(Number(compressed.headers.get('content-length'))).toBeLessThan(content.length * 0.6);
        expect((await compressed.text()) === content).toBe(true);
      }
      const old = new URL(file.href.replace(/[^/]+(\/[^/]+)$/, 'AAAAAAAAAAAAAAAA$1'));
      expect((await fetch(old)).status).toBe(404);
    }
  });
});

test('GraphiQL keeps no key in the browser', async () => {
  const files = await filesOf(`${longhaul.url}/graphql`);
  const start = files.find(({ pathname }) => pathname.endsWith('/start.js'));
  if (start === undefined) throw new Error('the page starts nothing');
  const script = await (await fetch(start)).text();
  expect(script).toContain('"shouldPersistHeaders":false');
  expect(script).not.toContain('setItem');
});

/** As a browser finds what a page names. */
const get = (reference: string, init: RequestInit = {}) => fetch(new URL(reference, `${longhaul.url}/docs`), init);

describe('/docs', () => {
  test('starts with the document of this server, and tells nobody of it', async () => {
    for (const path of ['/docs', '/docs/']) {
      const start = (await filesOf(longhaul.url + path)).find(({ pathname }) => pathname.endsWith('/start.js'));
      if (start === undefined) throw new Error('the page starts nothing');
      expect(await (await fetch(start)).text()).toContain('validatorUrl: null');
      const html = await (await fetch(longhaul.url + path)).text();
      const [, document = ''] = /data-document="([^"]+)"/.exec(html) ?? [];
      expect(new URL(document, longhaul.url + path).pathname).toBe('/docs/openapi.json');
    }
  });

  test('the document is schema/openapi.json, with this server in it', async () => {
    const { document } = await Described.read();
    const answer = await get('docs/openapi.json');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.json()).toEqual({ ...document, servers: [{ url: longhaul.url }] });
  });

  test('has no other files than these', async () => {
    for (const path of ['docs/swagger-ui.js', 'docs/..%2fpackage.json', 'docs/%2e%2e/package.json', 'docs/x/swagger-ui.css']) {
      expect((await get(path, { redirect: 'manual' })).status, path).toBe(404);
    }
    expect((await get('docs', { method: 'POST' })).status).toBe(405);
  });
});
