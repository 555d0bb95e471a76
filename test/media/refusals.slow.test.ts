import { deflateSync, crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createAudioHandler } from '../../src/worker/handlers/media/audio.ts';
import { createConcatenateHandler } from '../../src/worker/handlers/media/concatenate.ts';
import { createExportHandler } from '../../src/worker/handlers/media/export.ts';
import { createPreviewHandler } from '../../src/worker/handlers/media/preview.ts';
import { clip, hasFfmpeg, openStudio, usualClip } from '../support/media.ts';

const srt = '1\n00:00:00,000 --> 00:00:01,000\nHello.\n';

describe.runIf(hasFfmpeg())('an error names the file that is at fault', () => {
  test('subtitles that are empty, broken, a film or a playlist are not the source', async () => {
    const studio = await openStudio();
    const film = await usualClip();
    const files = { empty: '', broken: 'no subtitles at all\n', other: film, list: '#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n' };
    const { film: sourceUrl = '', ...wrong } = await studio.serve({ film, ...files });
    for (const subtitlesUrl of Object.values(wrong)) {
      await expect(createExportHandler(studio.media)(studio.attempt({ sourceUrl, subtitlesUrl }))).rejects.toMatchObject({
        code: 'MEDIA_REFUSED',
        message: expect.stringMatching(/^The file of subtitlesUrl cannot be used: .*(?:neither SRT, WebVTT nor ASS|no text)/),
      });
    }
  });

  test('of several parts, and of two sounds, it says which', async () => {
    const studio = await openStudio();
    const { film = '', text = '', still = '', mute = '', sound = '' } = await studio.serve({
      film: await usualClip(),
      text: srt,
      sound: await clip('-f lavfi -i sine=d=1', 'wav'),
      still: await clip('-f lavfi -i testsrc2=s=64x64 -frames:v 1', 'png'),
      mute: await clip('-f lavfi -i testsrc2=s=64x64:d=1 -c:v libx264 -preset ultrafast', 'mp4'),
    });
    const joined = (...sourceUrls: string[]) => createConcatenateHandler(studio.media)(studio.attempt({ sourceUrls }));
    await expect(joined(film, text)).rejects.toMatchObject({ code: 'MEDIA_REFUSED', message: expect.stringMatching(/^Part 2 is no video, audio or picture/) });
    await expect(joined(film, sound)).rejects.toMatchObject({ message: 'Part 2 has no picture. Use a video, or ask for the format mp3 or wav.' });
    await expect(joined(film, film, still)).rejects.toMatchObject({ message: expect.stringMatching(/^Part 3 has no length/) });
    const mixed = (audioUrl: string) => createAudioHandler(studio.media)(studio.attempt({ operation: 'mix', sourceUrl: film, audioUrl }));
    await expect(mixed(text)).rejects.toMatchObject({ message: expect.stringMatching(/^The other sound \(audioUrl\) is no video/) });
    await expect(mixed(mute)).rejects.toMatchObject({ message: expect.stringMatching(/^The other sound \(audioUrl\) has no sound/) });
  });

  test('a result that would be too large a picture is refused before it is made, with the limit', async () => {
    const studio = await openStudio();
    const { tall: sourceUrl = '' } = await studio.serve({ tall: await clip('-f lavfi -i testsrc2=s=16x400:d=1:r=5 -c:v libx264 -preset ultrafast', 'mp4') });
    for (const [create, input, size] of [
      [createExportHandler, { width: 1920, format: 'mp4' }, '1920x48000'],
      [createPreviewHandler, { width: 1920 }, '1920x48000'],
      [createPreviewHandler, { width: 1280, kind: 'contactSheet', columns: 1, rows: 1 }, '1280x32000'],
    ] as const) {
      await expect(create(studio.media)(studio.attempt({ sourceUrl, ...input }))).rejects.toMatchObject({
        code: 'INPUT_REFUSED',
        message: expect.stringMatching(new RegExp(`^The result would have a picture of ${size} pixels\\. At most 40 million`)),
      });
    }
  });

  test('a picture beyond the limit is told its size, and the limit', async () => {
    const studio = await openStudio();
    const urls = await studio.serve({
      '30000x30000': emptyPng(30_000),
      '7000x7000': await clip('-f lavfi -i color=black:s=7000x7000:r=5 -frames:v 1 -c:v libx264 -preset ultrafast', 'mp4'),
    });
    for (const [size, sourceUrl] of Object.entries(urls)) {
      await expect(createExportHandler(studio.media)(studio.attempt({ sourceUrl, format: 'gif' }))).rejects.toMatchObject({
        code: 'MEDIA_REFUSED',
        message: `The source has a picture of ${size} pixels, more than 40 million, the limit. Use another one.`,
      });
    }
  });
});

/** A PNG of a few hundred bytes that says that it is large. */
function emptyPng(side: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.writeUInt8(8, 8);
  const start = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([start, chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.alloc(100_000))), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.byteLength);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
