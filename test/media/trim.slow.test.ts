import { describe, expect, test } from 'vitest';
import { createExportHandler } from '../../src/worker/handlers/media/export.ts';
import { createTrimHandler } from '../../src/worker/handlers/media/trim.ts';
import { clip, ffmpeg, ffprobe, hasFfmpeg, openStudio } from '../support/media.ts';

describe.runIf(hasFfmpeg())('a part of a film', () => {
  test.each(['mp4', 'webm'] as const)('that begins between two frames has each of its frames once, and sound as long, as %s', async (format) => {
    const studio = await openStudio();
    const film = await clip('-f lavfi -i testsrc2=s=64x64:r=15:d=3 -f lavfi -i sine=d=3 -c:v libx264 -preset ultrafast -c:a aac', 'mp4');
    const { film: sourceUrl = '' } = await studio.serve({ film });
    const { paths: [path = ''], output } = await studio.made(createTrimHandler(studio.media), studio.attempt({ sourceUrl, start: 0.7, end: 1.9, format }));
    const frames = await framesOf(path);
    expect(frames).toHaveLength(18);
    expect(new Set(frames).size).toBe(18);
    expect(Math.abs(Number((await ffprobe(path)).format.duration) - 1.2)).toBeLessThan(1 / 15);
    expect(output).toMatchObject({ start: 0.7, seconds: expect.closeTo(1.2, 1) });
  });

  test('that is copied says where it begins, and how long it is', async () => {
    const studio = await openStudio();
    const film = await clip('-f lavfi -i testsrc2=s=64x64:r=10:d=6 -f lavfi -i sine=d=6 -c:v libx264 -g 20 -keyint_min 20 -sc_threshold 0 -preset ultrafast -c:a aac', 'mp4');
    const { film: sourceUrl = '' } = await studio.serve({ film });
    const copied = (options: object) => studio.made(createTrimHandler(studio.media), studio.attempt({ sourceUrl, start: 3.1, end: 4.6, exact: false, ...options }));
    const { output, paths: [path = ''] } = await copied({ format: 'mp4' });
    expect(output).toMatchObject({ start: 2, seconds: expect.closeTo(2.6, 1), files: [{ seconds: expect.closeTo(2.6, 1) }] });
    expect(Number((await ffprobe(path)).format.duration)).toBeCloseTo(2.6, 1);
    await expect(copied({ format: 'webm' })).rejects.toMatchObject({ code: 'INPUT_REFUSED', message: expect.stringContaining('in the format of its source, which is mp4') });
  });

  test('that is shorter than a frame of the GIF, like a still picture, becomes a GIF of one frame, and no warning', async () => {
    const studio = await openStudio();
    const urls = await studio.serve({
      film: await clip('-f lavfi -i testsrc2=s=64x64:r=25:d=1 -c:v libx264 -preset ultrafast', 'mp4'),
      png: await clip('-f lavfi -i testsrc2=s=64x64 -frames:v 1', 'png'),
      jpeg: await clip('-f lavfi -i testsrc2=s=640x360 -frames:v 1 -q:v 2', 'jpg'),
    });
    for (const sourceUrl of Object.values(urls)) {
      const attempt = studio.attempt({ sourceUrl, format: 'gif', end: 0.2, frameRate: 1 });
      const { paths: [path = ''] } = await studio.made(createExportHandler(studio.media), attempt);
      expect(await framesOf(path)).toHaveLength(1);
      expect((await attempt.logged()).filter(({ level }) => level === 'WARN' || level === 'ERROR')).toEqual([]);
      expect(attempt.reports.at(-1)).toMatchObject({ percentage: 100 });
    }
  });
});

/** The digests of its frames, in their order. */
async function framesOf(path: string): Promise<string[]> {
  const said = await ffmpeg(['-i', path, '-map', '0:v', '-f', 'framemd5', 'pipe:1']);
  return said.toString('utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(',').at(-1) ?? '');
}
