import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { Described } from '../support/openapi.ts';

describe('/docs', () => {
  let longhaul: Longhaul;
  beforeAll(async () => {
    longhaul = await sharedLonghaul();
  });
  afterAll(() => longhaul.stop());

  /** As a browser finds what a page names. */
  const get = (reference: string, init: RequestInit = {}) => fetch(new URL(reference, `${longhaul.url}/docs`), init);

  test('is a page of which every part comes from this server, and from no other', async () => {
    const page = await get('docs');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|\*/);
    const html = await page.text();
    const references = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, reference = '']) => reference);
    expect(references).toHaveLength(4);
    for (const reference of references) {
      expect(reference).toMatch(/^docs\//);
      const part = await get(reference);
      expect(part.status, reference).toBe(200);
      expect(part.headers.get('x-content-type-options')).toBe('nosniff');
      expect((await part.arrayBuffer()).byteLength).toBeGreaterThan(0);
    }
  });

  test('starts with the document of this server, and tells nobody of it', async () => {
    const start = await (await get('docs/start.js')).text();
    expect(start).toContain("url: 'docs/openapi.json'");
    expect(start).toContain('validatorUrl: null');
  });

  test('the document is schema/openapi.json, with this server in it', async () => {
    const { document } = await Described.read();
    const answer = await get('docs/openapi.json');
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.json()).toEqual({ ...document, servers: [{ url: longhaul.url }] });
  });

  test('parts that a browser has are not sent again', async () => {
    const part = await get('docs/swagger-ui.css');
    const etag = part.headers.get('etag') ?? '';
    await part.arrayBuffer();
    // Without the second, fetch would ask for all of it in any case.
    const headers = { 'if-none-match': etag, 'cache-control': 'max-age=0' };
    expect((await get('docs/swagger-ui.css', { headers })).status).toBe(304);
  });

  test('has no other files than these', async () => {
    for (const path of ['docs/swagger-ui.js', 'docs/..%2fpackage.json', 'docs/%2e%2e/package.json', 'docs/']) {
      const { status } = await get(path, { redirect: 'manual' });
      expect(status, path).toBe(path === 'docs/' ? 302 : 404);
    }
    expect((await get('docs', { method: 'POST' })).status).toBe(405);
  });
});
