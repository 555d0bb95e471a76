import { describe, expect, test } from 'vitest';
import { createAnalysisHandler } from '../../src/worker/handlers/media/analysis.ts';
import { createFingerprintHandler } from '../../src/worker/handlers/fingerprint.ts';
import { clip, ffprobe, hasFfmpeg, inFile, loudnessOf, openStudio, type Studio } from '../support/media.ts';

function near(seconds: number): unknown {
  return expect.closeTo(seconds, 0);
}

async function analysed(studio: Studio, content: Buffer) {
  const { film: sourceUrl } = await studio.serve({ film: content });
  return studio.made(createAnalysisHandler(studio.media), studio.attempt({ sourceUrl: sourceUrl ?? '', thumbnails: 6 }));
}

describe.runIf(hasFfmpeg())('media/analysis', () => {
  test('finds scenes, black, frozen and silent parts, the loudness and key frames, and makes a page of thumbnails', async () => {
    const studio = await openStudio();
    // Two seconds that move, one black, three of a picture that stands still; a tone for three seconds, then nothing.
    const graph =
      'testsrc2=s=160x120:r=10:d=2[a];color=black:s=160x120:r=10:d=1[b];smptebars=s=160x120:r=10:d=3[c];[a][b][c]concat=n=3:v=1:a=0[v];' +
      'sine=f=1000:d=3,volume=0.5,apad=whole_dur=6[s]';
    const film = await clip(`-filter_complex ${graph} -map [v] -map [s] -c:v libx264 -g 20 -preset ultrafast -c:a aac`, 'mp4');
    const { output, paths, names } = await analysed(studio, film);
    expect(output).toMatchObject({
      container: expect.stringContaining('mp4'),
      seconds: near(6),
      video: [{ codec: 'h264', width: 160, height: 120, frameRate: 10 }],
      audio: [{ codec: 'aac', channels: 1 }],
      subtitles: [],
      scenes: [{ at: near(2), score: expect.any(Number) }, { at: near(3) }],
      black: [{ start: near(2), end: near(3) }],
      frozen: [{ start: near(3), end: near(6) }],
      silence: [{ start: near(3), end: near(6) }],
      loudness: { integrated: expect.any(Number), range: expect.any(Number), truePeak: expect.any(Number) },
      keyframes: expect.arrayContaining([0, near(2), near(4)]),
      files: [{ name: 'file', filename: 'film-thumbnails.jpg', pictures: 6, columns: 3 }],
    });
    expect(names).toEqual(['file']);
    expect((await ffprobe(paths[0] ?? '')).streams).toMatchObject([{ codec_name: 'mjpeg', width: 720, height: 360 }]);
    const { loudness } = JSON.parse(JSON.stringify(output));
    expect(loudness.integrated).toBeCloseTo(await loudnessOf(await inFile('film.mp4', film)), 0);
    expect(loudness.truePeak).toBeGreaterThan(-25);
    expect(loudness.truePeak).toBeLessThan(-20);
  });

  test('of a film that is many times higher than wide has a page of narrow pictures', async () => {
    const studio = await openStudio();
    const { output, paths } = await analysed(studio, await clip('-f lavfi -i testsrc2=s=16x400:d=1:r=16 -c:v libx264 -preset ultrafast', 'mp4'));
    expect(output).toMatchObject({ video: [{ width: 16, height: 400 }], files: [{ pictures: 6, columns: 3 }] });
    expect((await ffprobe(paths[0] ?? '')).streams).toMatchObject([{ width: 114, height: 1900 }]);
  });

  test('of sound alone has no pictures, and of a picture no sound', async () => {
    const studio = await openStudio();
    const sound = await analysed(studio, await clip('-f lavfi -i sine=d=1', 'mp3'));
    expect(sound.output).toMatchObject({ video: [], audio: [{ codec: 'mp3' }], keyframes: [], scenes: [] });
    expect(sound.output).not.toHaveProperty('files');
    const picture = await analysed(studio, await clip('-f lavfi -i testsrc2=s=64x64:d=1 -frames:v 1', 'png'));
    expect(picture.output).toMatchObject({ video: [{ codec: 'png', width: 64, height: 64 }], audio: [], loudness: null, files: [{ pictures: 1 }] });
  });
});

const none = Buffer.alloc(0);

/** In how many bits two prints differ, as a part of all: 0 to 1. */
function difference(one: Buffer, other: Buffer): number {
  const bytes = Math.min(one.byteLength, other.byteLength);
  expect(bytes).toBeGreaterThan(0);
  let bits = 0;
  for (let at = 0; at < bytes; at++) bits += ((one[at] ?? 0) ^ (other[at] ?? 0)).toString(2).replaceAll('0', '').length;
  return bits / (bytes * 8);
}

/** The 32-bit numbers of a print, as libchromaprint unpacks them: distances between bits that differ from the number before. */
function unpack(print: string): Buffer {
  const packed = Buffer.from(print, 'base64url');
  const numbers = packed.readUIntBE(1, 3);
  let at = 32;
  const read = (bits: number) => {
    let value = 0;
    for (let bit = 0; bit < bits; bit++, at++) value |= (((packed[at >> 3] ?? 0) >> (at & 7)) & 1) << bit;
    return value;
  };
  const distances: number[] = [];
  for (let ends = 0; ends < numbers; ) if (distances[distances.push(read(3)) - 1] === 0) ends += 1;
  at = 8 * Math.ceil(at / 8);
  const unpacked = Buffer.alloc(4 * numbers);
  let [number, bit, changes, last] = [0, 0, 0, 0];
  for (const short of distances) {
    const distance = short === 7 ? 7 + read(5) : short;
    bit += distance;
    if (distance > 0) changes |= 1 << (bit - 1);
    else {
      last ^= changes;
      unpacked.writeInt32LE(last, 4 * number++);
      [bit, changes] = [0, 0];
    }
  }
  return unpacked;
}

describe.runIf(hasFfmpeg())('fingerprint', () => {
  test('of media encoded anew, its sound and frames are nearly those of the original, and of other media they are not', async () => {
    const studio = await openStudio();
    const music = '-f lavfi -i aevalsrc=0.3*sin(2*PI*t*(220+110*floor(mod(t*2\\,5))))+0.2*sin(2*PI*t*(330+55*floor(mod(t*3\\,7)))):d=8';
    const one = await clip(`-f lavfi -i mandelbrot=s=160x120:r=10 ${music} -t 8 -c:v libx264 -preset ultrafast -c:a aac`, 'mp4');
    const again = await clip(`-i ${await inFile('one.mp4', one)} -s 120x90 -c:v libvpx -b:v 300k -deadline realtime -cpu-used 8 -c:a libopus -b:a 48k`, 'webm');
    const other = await clip('-f lavfi -i testsrc2=s=160x120:r=10:d=8 -f lavfi -i anoisesrc=d=8:a=0.3 -c:v libx264 -preset ultrafast -c:a aac', 'mp4');
    const urls = await studio.serve({ one, again, other });
    const handle = createFingerprintHandler({ maxBytes: 50_000_000, media: studio.media });
    const prints = await Promise.all(
      ['one', 'again', 'other'].map(async (name) => JSON.parse(JSON.stringify((await handle(studio.attempt({ sourceUrl: urls[name] ?? '', frames: 8 }))).output))),
    );
    const [first, second] = prints;
    expect(first).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: one.byteLength, mediaType: 'video/mp4', media: { width: 160, height: 120, chromaprint: expect.stringMatching(/^AQ[\w-]+$/) } });
    expect(second).toMatchObject({ mediaType: 'video/webm', media: { width: 120 } });
    const hashes = prints.map(({ media }) => Buffer.from(media.frames.map(({ hash }: { hash: string }) => hash).join(''), 'hex'));
    expect(hashes.map(({ byteLength }) => byteLength)).toEqual([64, 64, 64]);
    expect(difference(hashes[0] ?? none, hashes[1] ?? none)).toBeLessThan(0.1);
    expect(difference(hashes[0] ?? none, hashes[2] ?? none)).toBeGreaterThan(0.3);
    // AcoustID takes prints for the same that differ in less than a fifth or so of their bits.
    const sounds = prints.map(({ media }) => unpack(media.chromaprint));
    expect(sounds[0]?.byteLength).toBeGreaterThan(100);
    expect(difference(sounds[0] ?? none, sounds[1] ?? none)).toBeLessThan(0.15);
    expect(difference(sounds[0] ?? none, sounds[2] ?? none)).toBeGreaterThan(0.3);
    expect(await studio.leftovers()).toEqual([]);
  });

  test('of what is no media, or only begins like it, is its digest alone', async () => {
    const studio = await openStudio();
    const urls = await studio.serve({ text: 'a'.repeat(5_000), broken: Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), Buffer.alloc(6_000)]) });
    const handle = createFingerprintHandler({ maxBytes: 50_000_000, media: studio.media });
    expect((await handle(studio.attempt({ sourceUrl: urls['text'] ?? '' }))).output).toEqual({ sha256: expect.any(String), bytes: 5_000, mediaType: 'application/octet-stream' });
    expect((await handle(studio.attempt({ sourceUrl: urls['broken'] ?? '' }))).output).toEqual({ sha256: expect.any(String), bytes: 6_016, mediaType: 'image/png' });
    expect(await studio.leftovers()).toEqual([]);
  });
});
