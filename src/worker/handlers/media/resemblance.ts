import type { JsonObject } from '../../../json.ts';
import type { Attempt } from '../../handler.ts';
import type { MediaRun } from '../../media/media.ts';
import { factsOf } from './facts.ts';
import { hashSide, perceptualHash } from './perceptual-hash.ts';

/** Seconds of the sound that count, as in AcoustID's own programs, so that their prints can be compared with ours. */
const soundSeconds = 120;

/**
 * What finds a file of media again that was encoded anew: `chromaprint` of its sound, as AcoustID takes it, and `frames`, each with its
 * second and 64 bits of a perceptual hash in hex. Two frames that look alike differ in few bits.
 *
 * @param most frames
 */
export async function resemblanceOf(attempt: Attempt, run: MediaRun, name: string, most: number): Promise<JsonObject> {
  const probed = await run.probe(name);
  const { video: [picture], audio: [sound], seconds } = probed;
  attempt.report({ step: 'comparing', message: null, percentage: 0 });
  const print = sound === undefined || !run.hasChromaprint ? null : await soundPrint(run, name, sound.index);
  const frames = picture === undefined || most === 0 ? null : await frameHashes(run, name, { index: picture.index, seconds, most });
  return { media: { ...factsOf(probed), ...(print !== null && { chromaprint: print }), ...(frames !== null && { frames }) } };
}

async function soundPrint(run: MediaRun, name: string, index: number): Promise<string> {
  const chunks: Buffer[] = [];
  await run.ffmpeg({
    inputs: [{ name, options: ['-t', String(soundSeconds)] }],
    outputs: [{ options: ['-map', `0:${index}`, '-f', 'chromaprint', '-fp_format', 'base64'], name: 'pipe:1' }],
    what: 'The print of the sound',
    seconds: null,
    onOutput: (chunk) => chunks.push(chunk),
  });
  return Buffer.concat(chunks).toString('latin1').trim();
}

/** At even distances, the first in the middle of its part. */
async function frameHashes(run: MediaRun, name: string, { index, seconds, most }: { index: number; seconds: number | null; most: number }): Promise<{ at: number; hash: string }[]> {
  const chunks: Buffer[] = [];
  const interval = seconds === null ? null : seconds / most;
  const times = interval === null ? [] : [`fps=fps=1/${interval.toFixed(6)}:start_time=0:round=up`];
  await run.ffmpeg({
    inputs: [{ name }],
    outputs: [
      {
        options: ['-map', `0:${index}`, '-vf', [...times, `scale=${hashSide}:${hashSide}:flags=area`, 'format=gray'].join(','), '-frames:v', String(interval === null ? 1 : most), '-f', 'rawvideo'],
        name: 'pipe:1',
      },
    ],
    what: 'Looking at the frames',
    seconds: null,
    onOutput: (chunk) => chunks.push(chunk),
  });
  const pixels = Buffer.concat(chunks);
  const size = hashSide ** 2;
  return Array.from({ length: Math.floor(pixels.byteLength / size) }, (_, frame) => ({
    at: Math.round((interval ?? 0) * frame * 1_000) / 1_000,
    hash: perceptualHash(pixels.subarray(frame * size, (frame + 1) * size)),
  }));
}
