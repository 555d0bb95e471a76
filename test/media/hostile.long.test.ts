import { once } from 'node:events';
import { createServer } from 'node:net';
import { deflateSync, crc32 } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createAnalysisHandler } from '../../src/worker/handlers/media/analysis.ts';
import { createExportHandler } from '../../src/worker/handlers/media/export.ts';
import { createPreviewHandler } from '../../src/worker/handlers/media/preview.ts';
import { failureOf } from '../support/attempt.ts';
import { eventually } from '../support/eventually.ts';
import { clip, hasFfmpeg, longClip, openStudio, slowly, usualClip } from '../support/media.ts';

/** A host that nobody may ask. */
async function forbiddenHost(): Promise<{ url: string; asked(): number }> {
  let asked = 0;
  const server = createServer((socket) => {
    asked += 1;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, asked: () => asked };
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A PNG that is small and claims a side of so many pixels, all black. */
function pngBomb(side: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  const lines = deflateSync(Buffer.alloc((1 + side / 8) * 2_000));
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', lines), chunk('IEND', Buffer.alloc(0))]);
}

/** An MP4 whose tables claim 10^9 frames. */
async function billionFrames(): Promise<Buffer> {
  const film = await clip('-f lavfi -i testsrc2=s=64x64:r=10:d=1 -c:v libx264 -preset ultrafast', 'mp4');
  film.writeUInt32BE(1_000_000_000, film.indexOf('stts') + 12);
  const sizes = film.indexOf('stsz');
  film.writeUInt32BE(100, sizes + 8);
  film.writeUInt32BE(1_000_000_000, sizes + 12);
  return film;
}

describe.runIf(hasFfmpeg())('a hostile source', () => {
  test.each<[string, (url: string) => string | Buffer | Promise<Buffer>]>([
    ['a playlist (HLS) that names a host', (url) => `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n${url}/a.ts\n`],
    ['a playlist that names a file', () => '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n'],
    ['a playlist with a key and a map elsewhere', (url) => `#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="${url}/key"\n#EXT-X-MAP:URI="${url}/map"\n#EXTINF:9,\n${url}/a.ts\n`],
    ['a script of the concat demuxer', () => 'ffconcat version 1.0\nfile /etc/passwd\n'],
    ['a script that names a host', (url) => `ffconcat version 1.0\nfile ${url}/a.mp4\n`],
    ['a DASH manifest', (url) => `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${url}/a.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>`],
    ['a session description (SDP)', () => 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n'],
    ['an SVG with external references', (url) => `<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" width="64" height="64"><image x:href="file:///etc/passwd" width="9" height="9"/><image x:href="${url}/a.png" width="9" height="9"/></svg>`],
    ['a text of terminal graphics', () => '\u001b[31mhello\u001b[0m\n'.repeat(100)],
    ['a picture of 3.6 × 10^9 pixels in a few kilobytes', () => pngBomb(60_000)],
    ['a film that claims 10^9 frames', () => billionFrames()],
    ['nothing', () => ''],
    ['noise', () => Buffer.from(Array.from({ length: 50_000 }, (_, n) => (n * n * 31 + n * 17) % 251))],
  ])('%s is refused: nothing is asked or read elsewhere, and nothing is left', async (_, content) => {
    const studio = await openStudio();
    const host = await forbiddenHost();
    const urls = await studio.serve({ source: await content(host.url), film: await usualClip() });
    const attempts = [
      [createExportHandler, { sourceUrl: urls['source'] ?? '' }],
      [createPreviewHandler, { sourceUrl: urls['source'] ?? '' }],
      [createAnalysisHandler, { sourceUrl: urls['source'] ?? '' }],
      [createExportHandler, { sourceUrl: urls['film'] ?? '', subtitlesUrl: urls['source'] ?? '', end: 0.2 }],
    ] as const;
    for (const [create, input] of attempts) {
      expect(await failureOf(create(studio.media)(studio.attempt(input)))).toMatchObject({ code: expect.stringMatching(/^MEDIA_(REFUSED|FAILED)$/), retryable: false });
    }
    expect(host.asked()).toBe(0);
    expect(await studio.leftovers()).toEqual([]);
    expect(await studio.programs()).toEqual([]);
  });

  test('subtitles that ask for a file in their styles or pictures get none', async () => {
    const studio = await openStudio();
    const host = await forbiddenHost();
    const ass = `[Script Info]\nScriptType: v4.00+\nVideo File: ${host.url}/a.mp4\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,${host.url}/font.ttf,20\n\n[Events]\nFormat: Start, End, Style, Text\nDialogue: 0:00:00.00,0:00:01.00,Default,{\\fn/etc/passwd}hello\n`;
    const urls = await studio.serve({ film: await usualClip(), 'a.ass': ass });
    const attempt = studio.attempt({ sourceUrl: urls['film'] ?? '', subtitlesUrl: urls['a.ass'] ?? '', end: 0.5, width: 64 });
    expect((await studio.made(createExportHandler(studio.media), attempt)).paths).toHaveLength(1);
    expect(host.asked()).toBe(0);
    for (const { message } of await attempt.logged()) expect(message).not.toMatch(/\/tmp\/|0x[0-9a-f]{6}/);
  });
});

describe.runIf(hasFfmpeg())('the work on a source', () => {
  test('is bounded in time', async () => {
    const studio = await openStudio({ runSeconds: 0.5 });
    const { film: sourceUrl } = await studio.serve({ film: await longClip() });
    const failure = await failureOf(createExportHandler(studio.media)(studio.attempt({ sourceUrl: sourceUrl ?? '', ...slowly })));
    expect(failure).toMatchObject({ code: 'MEDIA_TIMEOUT', retryable: false });
    expect(await studio.leftovers()).toEqual([]);
  });

  test('is bounded in the length of the source, in its pixels and in the bytes of the result', async () => {
    const film = await usualClip();
    const refusal = async (limits: Parameters<typeof openStudio>[0], input: object) => {
      const studio = await openStudio(limits);
      const { film: sourceUrl } = await studio.serve({ film });
      const failure = await failureOf(createExportHandler(studio.media)(studio.attempt({ sourceUrl: sourceUrl ?? '', ...input })));
      expect(await studio.leftovers()).toEqual([]);
      return failure;
    };
    expect(await refusal({ maxSeconds: 3 }, {})).toMatchObject({ code: 'MEDIA_REFUSED', message: expect.stringContaining('is longer than') });
    expect(await refusal({ maxPixels: 320 * 179 }, {})).toMatchObject({ code: 'MEDIA_REFUSED' });
    expect(await refusal({ maxBytes: film.byteLength }, { format: 'wav', outputs: [{ format: 'gif', width: 1280, frameRate: 25 }] })).toMatchObject({ code: 'OUTPUT_TOO_LARGE', retryable: false });
  });

  test('ends with the attempt: its program is gone at once, and no file is left', async () => {
    const studio = await openStudio();
    const { film: sourceUrl } = await studio.serve({ film: await longClip() });
    const ending = new AbortController();
    const attempt = studio.attempt({ sourceUrl: sourceUrl ?? '', ...slowly, outputs: [{ format: 'webm' }, { format: 'mp4' }] }, { signal: ending.signal });
    const made = createExportHandler(studio.media)(attempt).then(() => null, (error: unknown) => error);
    await vi.waitFor(() => expect(attempt.reports.some(({ step }) => step === 'exporting')).toBe(true), { timeout: 20_000 });
    await eventually(async () => expect((await studio.programs()).length).toBeGreaterThan(0));
    const reason = new Error('over');
    const before = performance.now();
    ending.abort(reason);
    expect(await made).toBe(reason);
    expect(await studio.programs()).toEqual([]);
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(await studio.leftovers()).toEqual([]);
  });
});
