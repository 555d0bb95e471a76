import { stat } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { createExportHandler } from '../../src/worker/handlers/media/export.ts';
import { failureOf } from '../support/attempt.ts';
import { clip, ffprobe, greysOf, hasFfmpeg, openStudio, usualClip } from '../support/media.ts';

describe.runIf(hasFfmpeg())('media/export', () => {
  let film: Buffer;
  beforeAll(async () => {
    film = await usualClip();
  });

  test('one source becomes several files at once, each as it was asked for', async () => {
    const studio = await openStudio();
    const { 'holiday.mov': sourceUrl } = await studio.serve({ 'holiday.mov': film });
    const outputs = [
      { format: 'mp4', width: 160 },
      { format: 'webm', height: 90, frameRate: 10, quality: 'low' },
      { format: 'mp3', name: 'sound' },
      { format: 'wav' },
      { format: 'gif', width: 80, height: 80 },
      { format: 'mp4', mute: true },
    ];
    const attempt = studio.attempt({ sourceUrl: sourceUrl ?? '', outputs, start: 1, end: 3 });
    const { output, paths, names } = await studio.made(createExportHandler(studio.media), attempt);
    expect(names).toEqual(['mp4', 'webm', 'sound', 'wav', 'gif', 'mp4-2']);
    const seen = await Promise.all(paths.map(ffprobe));
    for (const { format } of seen) expect(Number(format.duration)).toBeCloseTo(2, 0);
    const codecs = seen.map(({ streams }) => streams.map(({ codec_name }) => codec_name));
    expect(codecs).toEqual([['h264', 'aac'], ['vp9', 'opus'], ['mp3'], ['pcm_s16le'], ['gif'], ['h264']]);
    expect(seen[0]?.streams[0]).toMatchObject({ width: 160, height: 90, avg_frame_rate: '25/1' });
    expect(seen[1]?.streams[0]).toMatchObject({ width: 160, height: 90, avg_frame_rate: '10/1' });
    expect(seen[4]?.streams[0]).toMatchObject({ width: 80, height: 44 });
    expect(output).toMatchObject({
      sourceUrl,
      files: [
        { name: 'mp4', filename: 'holiday-mp4.mp4', mediaType: 'video/mp4', bytes: (await stat(paths[0] ?? '')).size, width: 160, height: 90, videoCodec: 'h264', audioCodec: 'aac' },
        { name: 'webm', filename: 'holiday-webm.webm', mediaType: 'video/webm' },
        { name: 'sound', filename: 'holiday-sound.mp3', mediaType: 'audio/mpeg', audioCodec: 'mp3' },
        { name: 'wav', mediaType: 'audio/wav' },
        { name: 'gif', mediaType: 'image/gif' },
        { name: 'mp4-2', filename: 'holiday-mp4-2.mp4' },
      ],
    });
    const percentages = attempt.reports.flatMap(({ percentage }) => percentage ?? []);
    expect(percentages).toEqual(percentages.toSorted((a, b) => a - b));
    expect(percentages.filter((each) => each > 20 && each < 95).length).toBeGreaterThan(1);
    expect(await studio.leftovers()).toEqual([]);
  });

  test.each<[string, string | Buffer, ...[number, number, number][]]>([
    ['SRT', '1\n00:00:01,000 --> 00:00:02,000\nHELLO WORLD\n', [0, 1.5, 0.5], [0.9, 0.6, 1.5]],
    ['WebVTT', 'WEBVTT\n\n00:01.000 --> 00:02.000\nHELLO WORLD\n', [0, 1.5, 0.5]],
    ['SRT in an old encoding', Buffer.from('1\r\n00:00:01,000 --> 00:00:02,000\r\nGR\u00dcSSE\r\n', 'latin1'), [0, 1.5, 0.5]],
  ])('subtitles of %s are burnt into the picture while they are due, whatever part is exported', async (_, subtitles, ...parts) => {
    const studio = await openStudio();
    const black = await clip('-f lavfi -i color=black:s=320x180:r=10:d=3 -c:v libx264 -preset ultrafast', 'mp4');
    const urls = await studio.serve({ film: black, subtitles });
    for (const [start, shown, hidden] of parts) {
      const attempt = studio.attempt({ sourceUrl: urls['film'] ?? '', subtitlesUrl: urls['subtitles'] ?? '', start });
      const { paths: [path = ''] } = await studio.made(createExportHandler(studio.media), attempt);
      const whitest = async (at: number) => (await greysOf(path, { at, crop: '320:60:0:120' })).lightest;
      expect(await whitest(shown)).toBeGreaterThan(200);
      expect(await whitest(hidden)).toBeLessThan(40);
    }
  });

  test('a source without what the format needs is refused, and so is a part after its end', async () => {
    const studio = await openStudio();
    const urls = await studio.serve({ film, tone: await clip('-f lavfi -i sine=d=1', 'mp3'), mute: await clip('-f lavfi -i testsrc2=s=64x64:d=1 -c:v libx264', 'mp4'), text: 'no film' });
    const refusal = (input: Record<string, string | number>) => failureOf(createExportHandler(studio.media)(studio.attempt(input)));
    expect(await refusal({ sourceUrl: urls['tone'] ?? '', format: 'mp4' })).toMatchObject({ code: 'MEDIA_REFUSED', retryable: false, message: expect.stringContaining('no video') });
    expect(await refusal({ sourceUrl: urls['mute'] ?? '', format: 'mp3' })).toMatchObject({ code: 'MEDIA_REFUSED', message: expect.stringContaining('no sound') });
    expect(await refusal({ sourceUrl: urls['text'] ?? '' })).toMatchObject({ code: 'MEDIA_REFUSED', message: expect.stringContaining('no video, audio or picture') });
    expect(await refusal({ sourceUrl: urls['film'] ?? '', start: 10 })).toMatchObject({ code: 'INPUT_REFUSED', message: expect.stringContaining('ends after 4.0 seconds') });
    expect(await refusal({ sourceUrl: urls['film'] ?? '', subtitlesUrl: urls['text'] ?? '' })).toMatchObject({ code: 'MEDIA_REFUSED' });
    expect(await studio.leftovers()).toEqual([]);
  });
});
