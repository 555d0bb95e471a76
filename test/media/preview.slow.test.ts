import { readFile, stat } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { createAnalysisHandler } from '../../src/worker/handlers/media/analysis.ts';
import { createPreviewHandler } from '../../src/worker/handlers/media/preview.ts';
import { clip, ffprobe, greysOf, hasFfmpeg, inFile, openStudio, type Studio, usualClip } from '../support/media.ts';

describe.runIf(hasFfmpeg())('preview', () => {
  /** A second each of black, white, black and white, with a tone. */
  let film: Buffer;
  beforeAll(async () => {
    film = await clip("-f lavfi -i color=black:s=160x120:r=10:d=4,drawbox=c=white:t=fill:enable='between(t,1,1.95)+gte(t,3)' -f lavfi -i sine=d=4 -c:v libx264 -preset ultrafast -c:a aac", 'mp4');
  });

  async function preview(studio: Studio, options: Record<string, string | number | null>) {
    const { film: sourceUrl } = await studio.serve({ film });
    return studio.made(createPreviewHandler(studio.media), studio.attempt({ sourceUrl: sourceUrl ?? '', ...options }));
  }

  test('is a poster where nothing else is asked for, and of the second that is', async () => {
    const studio = await openStudio();
    const usual = await preview(studio, { kind: null, width: null });
    expect(usual.output).toMatchObject({ kind: 'poster', seconds: 4, files: [{ name: 'file', filename: 'film-poster.jpg', mediaType: 'image/jpeg', width: 640, height: 480 }] });
    expect((await ffprobe(usual.paths[0] ?? '')).streams).toMatchObject([{ codec_name: 'mjpeg', width: 640, height: 480 }]);
    const white = await preview(studio, { at: 1.5, width: 80 });
    expect((await greysOf(white.paths[0] ?? '')).darkest).toBeGreaterThan(240);
    expect((await greysOf((await preview(studio, { at: 2.5 })).paths[0] ?? '')).lightest).toBeLessThan(16);
    // Beyond its end it is its last frame.
    expect((await greysOf((await preview(studio, { at: 99 })).paths[0] ?? '')).darkest).toBeGreaterThan(240);
  });

  test('of a film that is stored lying, or of pixels that are no squares, has the form in which it is shown', async () => {
    const studio = await openStudio();
    const stored = await inFile('stored.mp4', film);
    const urls = await studio.serve({
      turned: await clip(`-i ${await inFile('turned.mp4', await clip(`-i ${stored} -c copy -metadata:s:v:0 rotate=90`, 'mp4'))} -c copy`, 'mp4'),
      wide: await clip(`-i ${stored} -an -vf setsar=2/1 -c:v libx264 -preset ultrafast`, 'mp4'),
    });
    const forms = [];
    for (const kind of ['poster', 'contactSheet']) {
      for (const sourceUrl of Object.values(urls)) {
        const { paths: [path = ''] } = await studio.made(createPreviewHandler(studio.media), studio.attempt({ sourceUrl, kind, width: 120, columns: 1, rows: 1 }));
        const { streams: [seen] } = await ffprobe(path);
        forms.push([seen?.width, seen?.height]);
      }
    }
    expect(forms).toEqual([[120, 160], [120, 44], [120, 160], [120, 46]]);
  });

  test('is a page of pictures in their order', async () => {
    const studio = await openStudio();
    const { paths: [path = ''], output } = await preview(studio, { kind: 'contactSheet', columns: 2, rows: 2, width: 80 });
    expect(output).toMatchObject({ files: [{ filename: 'film-sheet.jpg', width: 160, height: 120 }] });
    const grey = await Promise.all(['60:40:10:10', '60:40:90:10', '60:40:10:70', '60:40:90:70'].map((crop) => greysOf(path, { crop })));
    expect(grey.map(({ darkest, lightest }) => [darkest > 240, lightest < 16])).toEqual([[false, true], [true, false], [false, true], [true, false]]);
  });

  test('is a sprite, with a WebVTT that says where each picture is', async () => {
    const studio = await openStudio();
    const { paths, names, output } = await preview(studio, { kind: 'sprite', columns: 4, rows: 1, width: 40 });
    expect(names).toEqual(['file', 'vtt']);
    expect(output).toMatchObject({ files: [{ width: 160, height: 30 }, { filename: 'film-sprite.vtt', mediaType: 'text/vtt' }] });
    const cues = (await readFile(paths[1] ?? '', 'utf8')).split('\n\n');
    expect(cues).toHaveLength(5);
    expect(cues[0]).toBe('WEBVTT');
    expect(cues[2]).toBe('00:00:01.000 --> 00:00:02.000\nfilm-sprite.jpg#xywh=40,0,40,30');
    expect(cues[4]).toBe('00:00:03.000 --> 00:00:04.000\nfilm-sprite.jpg#xywh=120,0,40,30\n');
  });

  test('is as well a picture of many kilobytes, of each kind', async () => {
    const studio = await openStudio();
    const urls = await studio.serve({ small: await usualClip(), large: await clip('-f lavfi -i testsrc2=s=640x360:r=10:d=4 -c:v libx264 -preset ultrafast', 'mp4') });
    for (const sourceUrl of Object.values(urls)) {
      for (const kind of ['poster', 'contactSheet', 'sprite']) {
        const { paths: [path = ''], output } = await studio.made(createPreviewHandler(studio.media), studio.attempt({ sourceUrl, kind }));
        expect((await stat(path)).size).toBeGreaterThan(4_096);
        const { streams: [seen] } = await ffprobe(path);
        expect(output).toMatchObject({ kind, files: [{ width: seen?.width, height: seen?.height }, ...(kind === 'sprite' ? [{ name: 'vtt' }] : [])] });
      }
    }
  });

  test('of a still picture of many kilobytes is that picture', async () => {
    const studio = await openStudio();
    const { still: sourceUrl = '' } = await studio.serve({ still: await clip('-f lavfi -i testsrc2=s=640x360 -frames:v 1 -q:v 2', 'jpg') });
    for (const kind of ['poster', 'contactSheet', 'sprite', 'clip']) {
      const { output } = await studio.made(createPreviewHandler(studio.media), studio.attempt({ sourceUrl, kind, width: 320 }));
      expect(output).toMatchObject({ kind, files: [{ width: 320, height: 180 }, ...(kind === 'sprite' ? [{}] : [])] });
    }
    const analysed = await studio.made(createAnalysisHandler(studio.media), studio.attempt({ sourceUrl, sceneThreshold: 10 }));
    expect(analysed.output).toMatchObject({ video: [{ codec: 'mjpeg', width: 640, height: 360 }], files: [{ pictures: 1 }] });
  });

  test('is a short clip without sound', async () => {
    const studio = await openStudio();
    const { paths: [path = ''] } = await preview(studio, { kind: 'clip', at: 2, seconds: 1, width: 80 });
    const { format, streams } = await ffprobe(path);
    expect(Number(format.duration)).toBeCloseTo(1, 1);
    expect(streams).toMatchObject([{ codec_name: 'h264', width: 80, height: 60 }]);
  });

  test('is a drawing of the sound', async () => {
    const studio = await openStudio();
    const { paths: [path = ''], output } = await preview(studio, { kind: 'waveform', width: 200 });
    expect(output).toMatchObject({ files: [{ filename: 'film-waveform.png', mediaType: 'image/png', width: 200, height: 40 }] });
    expect((await ffprobe(path)).streams).toMatchObject([{ codec_name: 'png', width: 200, height: 40 }]);
  });
});
