import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDemoFile } from '../../src/worker/handlers/demo-file.ts';
import { hasChromium, openInChromium } from '../support/browser.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { linkToFile } from '../support/stored-file.ts';

let longhaul: Longhaul;
let tenant: Tenant;
beforeAll(async () => {
  longhaul = await startLonghaul({ CORS_ORIGINS: 'http://example.com' });
  tenant = await Tenant.in(longhaul);
});
afterAll(() => longhaul.stop());

const picture = makeDemoFile('image', '');
const sound = makeDemoFile('audio', '');
const script = '<script>document.title = "run"</script><p>words</p>';

/** A page that can tell whether a sound plays in it. */
const player = `<script>
  const canPlay = (url) => new Promise((resolve) => {
    const audio = new Audio(url);
    audio.oncanplaythrough = () => resolve(true);
    audio.onerror = () => resolve(false);
  });
</script>`;

const linkOf = (mediaType: string, content: string | Uint8Array) => linkToFile(longhaul, tenant, { mediaType, content });

describe.skipIf(!hasChromium())('in Chromium', () => {
  test('a link opened in a tab plays media and shows pictures and text', async () => {
    const page = await openInChromium('', '');
    await page.goto(`${await linkOf('audio/wav', sound?.content ?? '')}&inline`);
    await page.waitForFunction('document.querySelector("video").readyState === 4');
    await page.goto(`${await linkOf('image/png', picture?.content ?? '')}&inline`);
    expect(await page.evaluate('document.querySelector("img").naturalWidth')).toBe(320);
    await page.goto(`${await linkOf('text/plain; charset=utf-8', `${script} über`)}&inline`);
    expect(await page.evaluate('[document.title, document.body.innerText]')).toEqual(['', `${script} über`]);
  });

  test.each(['text/html', 'image/svg+xml', 'application/pdf'])('a link to %s is saved, whatever is asked for', async (mediaType) => {
    const page = await openInChromium('', '');
    const link = await linkOf(mediaType, script);
    const download = page.waitForEvent('download');
    await page.goto(`${link}&inline`).catch(() => undefined);
    expect((await download).url()).toBe(`${link}&inline`);
  });

  test('a page of another origin plays the file, reads it in parts and sees what part it is, if CORS_ORIGINS lets it', async () => {
    const open = await startLonghaul();
    try {
      const link = await linkToFile(open, await Tenant.in(open), { mediaType: 'audio/wav', content: sound?.content ?? '' });
      const page = await openInChromium(player, '');
      const part = await page.evaluate(async (url) => {
        const answer = await fetch(url, { headers: { range: 'bytes=8-11' } });
        const seen = ['content-range', 'accept-ranges', 'content-length', 'content-disposition'].map((name) => answer.headers.get(name));
        return { text: await answer.text(), tagged: answer.headers.get('etag') !== null, seen };
      }, link);
      const size = sound?.content.length;
      expect(part).toEqual({ text: 'WAVE', tagged: true, seen: [`bytes 8-11/${size}`, 'bytes', '4', 'attachment; filename=film.mp4'] });
      expect(await page.evaluate(`canPlay(${JSON.stringify(link)})`)).toBe(true);
    } finally {
      await open.stop();
    }
    const page = await openInChromium(player, '');
    const link = await linkOf('audio/wav', sound?.content ?? '');
    // Only what reads the bytes needs CORS_ORIGINS: playing does not.
    expect(await page.evaluate((url) => fetch(url).then(() => 'read', () => 'refused'), link)).toBe('refused');
    expect(await page.evaluate(`canPlay(${JSON.stringify(link)})`)).toBe(true);
  });
});
