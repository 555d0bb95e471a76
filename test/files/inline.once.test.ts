import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { linkToFile } from '../support/stored-file.ts';

let longhaul: Longhaul;
let tenant: Tenant;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  tenant = await Tenant.in(longhaul);
});
afterAll(() => longhaul.stop());

const linkOf = (mediaType: string) => linkToFile(longhaul, tenant, { mediaType, filename: 'a.txt', content: '0123456789' });

async function headersOf(url: string, method: 'GET' | 'HEAD'): Promise<Record<string, string>> {
  const answer = await fetch(url, { method });
  await answer.arrayBuffer();
  return Object.fromEntries(answer.headers);
}

const scripted = ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/xml', 'application/pdf', 'text/javascript', 'multipart/x-mixed-replace'];
const disguised = ['video/mp4, text/html', 'text/plain;charset=utf-8, text/html', 'video/mp4;text/html', 'video/mp4;codecs="a", text/html', 'video/mp4;codecs="a, text/html"', 'video/mp4;codecs=text/html', 'video', 'constructor'];

test.each([...scripted, ...disguised])('%j is saved, also if it is asked for inline', async (mediaType) => {
  expect(await headersOf(`${await linkOf(mediaType)}&inline`, 'GET')).toMatchObject({
    'content-disposition': 'attachment; filename=a.txt',
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
  });
});

test.each<[stored: string, shown: string]>([
  ['video/mp4', 'video/mp4'],
  ['audio/mpeg', 'audio/mpeg'],
  ['image/png', 'image/png'],
  ['text/plain', 'text/plain'],
  ['text/vtt', 'text/vtt'],
  ['Video/WebM', 'video/webm'],
  ['text/plain; charset=utf-8', 'text/plain;charset=utf-8'],
  ['text/plain;charset=utf-8;format=flowed', 'text/plain;charset=utf-8'],
  ['image/png; a=b; charset=x', 'image/png;charset=x'],
  // As MediaRecorder calls them.
  ['video/webm;codecs=vp9', 'video/webm;codecs=vp9'],
  ['audio/webm;codecs=opus', 'audio/webm;codecs=opus'],
  ['video/mp4; codecs="avc1.42E01E, mp4a.40.2"', 'video/mp4;codecs="avc1.42E01E, mp4a.40.2"'],
])(
  '%s is shown if it is asked for inline, as %s alone, with no script and no sniffing',
  async (mediaType, shown) => {
    const url = await linkOf(mediaType);
    for (const asked of ['&inline', '&inline=1']) {
      for (const method of ['GET', 'HEAD'] as const) {
        expect(await headersOf(url + asked, method)).toMatchObject({
          'content-type': shown,
          'content-length': '10',
          'content-disposition': 'inline; filename=a.txt',
          'content-security-policy': expect.stringMatching(/^default-src 'none'; .*; sandbox allow-same-origin$/),
          'x-content-type-options': 'nosniff',
          'cross-origin-resource-policy': 'cross-origin',
        });
      }
    }
    expect((await headersOf(url, 'GET'))['content-disposition']).toBe('attachment; filename=a.txt');
    const part = await fetch(`${url}&inline`, { headers: { range: 'bytes=2-4' } });
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, '234', 'bytes 2-4/10']);
  },
);

test.each([
  ['text/html; charset=UTF-8', 'text/html;charset=UTF-8'],
  ['*/*', 'application/octet-stream'],
  ['multipart/form-data; boundary=a', 'application/octet-stream'],
  ['image/png;x="é"', 'application/octet-stream'],
  ['video/mp4, text/html', 'application/octet-stream'],
])('a file that was stored as %s is served as %s', async (mediaType, served) => {
  expect((await headersOf(await linkOf(mediaType), 'GET'))['content-type']).toBe(served);
});

test('the signature need not cover it, and still covers all the rest', async () => {
  const url = new URL(await linkOf('video/mp4'));
  const { searchParams } = url;
  const inFront = `${url.origin}${url.pathname}?inline&${searchParams}`;
  expect((await fetch(inFront)).headers.get('content-disposition')).toBe('inline; filename=a.txt');
  searchParams.set('expires', '9999999999');
  expect((await fetch(`${url}&inline`)).status).toBe(403);
});
