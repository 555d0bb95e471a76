import { beforeAll, describe, expect, test } from 'vitest';
import { createAudioHandler } from '../../src/worker/handlers/media/audio.ts';
import { createConcatenateHandler } from '../../src/worker/handlers/media/concatenate.ts';
import { createTrimHandler } from '../../src/worker/handlers/media/trim.ts';
import { failureOf } from '../support/attempt.ts';
import { clip, ffprobe, greysOf, hasFfmpeg, loudnessOf, openStudio, type Studio } from '../support/media.ts';

describe.runIf(hasFfmpeg())('several sources and parts', () => {
  let black: Buffer;
  let white: Buffer;
  let song: Buffer;
  beforeAll(async () => {
    black = await clip('-f lavfi -i color=black:s=160x90:r=10:d=2 -f lavfi -i sine=f=300:d=2 -c:v libx264 -preset ultrafast -g 10 -c:a aac -shortest', 'mp4');
    white = await clip('-f lavfi -i color=white:s=100x100:r=25:d=1 -c:v libvpx -deadline realtime -cpu-used 8', 'webm');
    song = await clip('-f lavfi -i sine=f=800:d=6 -af volume=-10dB', 'mp3');
  });

  async function made(studio: Studio, create: typeof createTrimHandler, input: (urls: Record<string, string>) => Record<string, string | string[] | number | boolean>) {
    const urls = await studio.serve({ 'black.mp4': black, 'white.webm': white, 'song.mp3': song });
    return studio.made(create(studio.media), studio.attempt(input(urls)));
  }

  test('parts of other sizes, rates and codecs, and without sound, become one film in their order', async () => {
    const studio = await openStudio();
    const { output, paths: [path = ''] } = await made(studio, createConcatenateHandler, (urls) => ({ sourceUrls: [urls['black.mp4'] ?? '', urls['white.webm'] ?? '', urls['black.mp4'] ?? ''] }));
    const { format, streams } = await ffprobe(path);
    expect(Number(format.duration)).toBeCloseTo(5, 0);
    expect(streams).toMatchObject([{ codec_name: 'h264', width: 160, height: 90, avg_frame_rate: '10/1' }, { codec_name: 'aac', channels: 2 }]);
    expect(output).toMatchObject({ files: [{ filename: 'black-joined.mp4' }] });
    // The square one has bars beside it.
    expect((await greysOf(path, { at: 2.5, crop: '80:80:40:5' })).darkest).toBeGreaterThan(240);
    expect((await greysOf(path, { at: 2.5, crop: '20:90:0:0' })).lightest).toBeLessThan(16);
    expect((await greysOf(path, { at: 4 })).lightest).toBeLessThan(16);
  });

  test('sounds alone are joined, too, and a part without sound among them is refused', async () => {
    const studio = await openStudio();
    const { paths: [path = ''] } = await made(studio, createConcatenateHandler, (urls) => ({ sourceUrls: [urls['song.mp3'] ?? '', urls['black.mp4'] ?? ''], format: 'wav' }));
    expect(Number((await ffprobe(path)).format.duration)).toBeCloseTo(8, 0);
    const refused = made(studio, createConcatenateHandler, (urls) => ({ sourceUrls: [urls['song.mp3'] ?? '', urls['white.webm'] ?? ''], format: 'mp3' }));
    expect(await failureOf(refused)).toMatchObject({ code: 'MEDIA_REFUSED' });
  });

  test('a part is cut at the very second, in the format of its source, or copied from the key frame before', async () => {
    const studio = await openStudio();
    const exact = await made(studio, createTrimHandler, (urls) => ({ sourceUrl: urls['black.mp4'] ?? '', start: 0.5, end: 1.2 }));
    const seen = await ffprobe(exact.paths[0] ?? '');
    expect(Number(seen.format.duration)).toBeCloseTo(0.7, 1);
    expect(seen.streams.map(({ codec_name }) => codec_name)).toEqual(['h264', 'aac']);
    const copied = await made(studio, createTrimHandler, (urls) => ({ sourceUrl: urls['white.webm'] ?? '', end: 0.5, exact: false }));
    expect(copied.output).toMatchObject({ files: [{ filename: 'white-part.webm', videoCodec: 'vp8' }] });
    expect(Number((await ffprobe(copied.paths[0] ?? '')).format.duration)).toBeCloseTo(0.5, 0);
    const sound = await made(studio, createTrimHandler, (urls) => ({ sourceUrl: urls['song.mp3'] ?? '', start: 4 }));
    expect((await ffprobe(sound.paths[0] ?? '')).streams).toMatchObject([{ codec_name: 'mp3' }]);
  });

  describe('sound', () => {
    test('is extracted', async () => {
      const studio = await openStudio();
      const { paths: [path = ''], output } = await made(studio, createAudioHandler, (urls) => ({ sourceUrl: urls['black.mp4'] ?? '' }));
      expect(output).toMatchObject({ operation: 'extract', files: [{ filename: 'black-sound.mp3', audioCodec: 'mp3' }] });
      expect((await ffprobe(path)).streams).toHaveLength(1);
    });

    test('is brought to the loudness that is asked for, and the picture stays as it is', async () => {
      const studio = await openStudio();
      for (const loudness of [-16, -30]) {
        const { paths: [path = ''], output } = await made(studio, createAudioHandler, (urls) => ({ sourceUrl: urls['song.mp3'] ?? '', operation: 'normalise', loudness }));
        expect(Math.abs((await loudnessOf(path)) - loudness)).toBeLessThan(1);
        expect(output).toMatchObject({ loudness, loudnessBefore: expect.any(Number) });
      }
      const film = await made(studio, createAudioHandler, (urls) => ({ sourceUrl: urls['black.mp4'] ?? '', operation: 'normalise' }));
      expect((await ffprobe(film.paths[0] ?? '')).streams.map(({ codec_name }) => codec_name)).toEqual(['h264', 'aac']);
    });

    test('is mixed with another one, or replaced by it, and stays as long as the film', async () => {
      const studio = await openStudio();
      const mixed = await made(studio, createAudioHandler, (urls) => ({ sourceUrl: urls['black.mp4'] ?? '', audioUrl: urls['song.mp3'] ?? '', operation: 'mix', volume: 0.2 }));
      const replaced = await made(studio, createAudioHandler, (urls) => ({ sourceUrl: urls['white.webm'] ?? '', audioUrl: urls['black.mp4'] ?? '', operation: 'replace', format: 'webm' }));
      expect(Number((await ffprobe(mixed.paths[0] ?? '')).format.duration)).toBeCloseTo(2, 0);
      const { format, streams } = await ffprobe(replaced.paths[0] ?? '');
      expect(Number(format.duration)).toBeCloseTo(1, 0);
      expect(streams.map(({ codec_name }) => codec_name)).toEqual(['vp8', 'opus']);
      // Both are heard, and of the replaced one nothing.
      const [low, high] = ['bandpass=f=300:w=50', 'bandpass=f=800:w=50'];
      expect(await loudnessOf(mixed.paths[0] ?? '', low)).toBeGreaterThan(-50);
      expect(await loudnessOf(mixed.paths[0] ?? '', high)).toBeGreaterThan(-50);
      expect(await loudnessOf(replaced.paths[0] ?? '', low)).toBeGreaterThan(-50);
      expect(await studio.leftovers()).toEqual([]);
    });
  });
});
