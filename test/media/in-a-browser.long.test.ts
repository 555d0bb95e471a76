import { describe, expect, test, onTestFinished } from 'vitest';
import { hasChromium, openInChromium } from '../support/browser.ts';
import { startLonghaul } from '../support/longhaul.ts';
import { clip, hasFfmpeg } from '../support/media.ts';

/** Uploads the file that is chosen, exports it, moves a bar with its progress, and plays the result. */
const html = `<!doctype html>
<input type="file"><progress max="100" value="0"></progress><output></output><video muted></video>
<script type="module">
  const { url, key } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  const bar = document.querySelector('progress');
  const video = document.querySelector('video');
  const say = (text) => { document.querySelector('output').value = text; };
  window.seen = [];
  const post = (query, variables, accept) => fetch(url + '/graphql', {
    method: 'POST',
    headers: { authorization: 'Bearer ' + key, 'content-type': 'application/json', accept },
    body: JSON.stringify({ query, variables }),
  });
  const ask = async (query, variables) => {
    const { data, errors } = await (await post(query, variables, 'application/json')).json();
    const refusal = errors?.[0] ?? Object.values(data).find((each) => each?.code);
    if (refusal) throw new Error(refusal.message);
    return data;
  };
  async function* events(query, variables) {
    const reader = (await post(query, variables, 'text/event-stream')).body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ; ) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      for (let end; (end = text.indexOf('\\n\\n')) >= 0; text = text.slice(end + 2)) {
        const [, data] = /^data: ?(.+)$/m.exec(text.slice(0, end)) ?? [];
        if (data) yield JSON.parse(data).data;
      }
    }
  }
  document.querySelector('input').onchange = async ({ target: { files: [file] } }) => {
    try {
      const { createUpload: { upload, uploadUrl } } = await ask(
        'mutation ($input: CreateUploadInput!) { createUpload(input: $input) { ... on CreateUploadPayload { upload { id } uploadUrl } ... on UserError { code message } } }',
        { input: { filename: file.name, mediaType: file.type, bytes: file.size } },
      );
      const sent = await fetch(uploadUrl, { method: 'PUT', body: file });
      if (!sent.ok) throw new Error('the upload was answered with ' + sent.status);
      const { createJob: { job, warnings } } = await ask(
        'mutation ($input: CreateJobInput!) { createJob(input: $input) { ... on CreateJobPayload { job { id } warnings { code } } ... on UserError { code message } } }',
        { input: { type: 'media/export', input: { sourceUrl: 'upload:' + upload.id, format: 'webm' } } },
      );
      say('exporting ' + JSON.stringify(warnings));
      const subscription = 'subscription ($id: ID!) { jobProgress(id: $id) { status progress { percentage } downloadUrl error { message } } }';
      for await (const { jobProgress: { status, progress, downloadUrl, error } } of events(subscription, { id: job.id })) {
        if (progress?.percentage != null) {
          bar.value = progress.percentage;
          window.seen.push(bar.value);
        }
        if (error) throw new Error(error.message);
        if (status === 'COMPLETED') video.src = downloadUrl + '&inline';
      }
      await video.play();
      say('playing');
    } catch (error) {
      say('failed: ' + error.message);
    }
  };
</script>`;

describe.skipIf(!hasFfmpeg() || !hasChromium())('in Chromium', () => {
  test('an uploaded clip is exported to webm while a bar climbs, and plays from its link', async () => {
    const longhaul = await startLonghaul({ ROLE: 'all' });
    onTestFinished(() => longhaul.stop());
    const key = await (await longhaul.workspace()).key();
    const film = await clip('-f lavfi -i testsrc2=s=640x360:r=25:d=20 -f lavfi -i sine=d=20 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -shortest', 'mp4');
    const page = await openInChromium(html, encodeURIComponent(JSON.stringify({ url: longhaul.url, key })));
    await page.setInputFiles('input', { name: 'holiday.mp4', mimeType: 'video/mp4', buffer: film });
    await page.waitForFunction('/^(playing|failed)/.test(document.querySelector("output").value)', undefined, { timeout: 100_000 });
    expect(await page.evaluate('document.querySelector("output").value')).toBe('playing');
    await page.waitForFunction('document.querySelector("video").currentTime > 0.5', undefined, { timeout: 20_000 });
    const { width, duration, source } = await page.evaluate<{ width: number; duration: number; source: string }>(
      '(({ videoWidth: width, duration, currentSrc: source }) => ({ width, duration, source }))(document.querySelector("video"))',
    );
    expect(width).toBe(640);
    expect(duration).toBeCloseTo(20, 0);
    expect(source.startsWith(`${longhaul.url}/artifacts/`)).toBe(true);
    const seen = await page.evaluate<number[]>('window.seen');
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    // Not only at its ends: ffmpeg's own word moves it.
    expect(new Set(seen.filter((percentage) => percentage > 20 && percentage < 95)).size).toBeGreaterThan(3);
  }, 150_000);
});
