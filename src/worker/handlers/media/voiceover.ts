import { type FileHandle, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { mainName } from '../../../files/artifact-entity.ts';
import { voiceoverInput } from '../../../jobs/types/media/types.ts';
import { type Handler, HandlerError } from '../../handler.ts';
import { speak, type Speaker, type Voice } from '../../engines/speaker.ts';
import type { Media, MediaRun } from '../../media/media.ts';
import { firstVideo } from '../../media/probe.ts';
import type { Probed } from '../../media/probed.ts';
import { percentagesOf, stageOf } from '../../media/stages.ts';
import { readSubtitles } from '../../subtitles/read.ts';
import type { Cue } from '../../subtitles/subtitles.ts';
import { textOf } from './captions.ts';
import { formats, pictureFilters } from './encoding.ts';
import { madeOf } from './facts.ts';
import { mediaHandler } from './frame.ts';
import { waveHeader } from './wave.ts';

/** Samples a second of the spoken track, of 16 bits and one channel. */
const rate = 24_000;

/** Faster than this, nobody follows: what does not fit is cut off. */
const fastest = 2;

const mostCues = 2_000;

/** `media/voiceover`: subtitles are spoken, each in its time, over the sound of a film, which is turned down. */
export function createVoiceoverHandler(media: Media, speaker: Speaker): Handler {
  return mediaHandler(media, voiceoverInput, async ({ input, run, working, bring }) => {
    const { sourceUrl, subtitlesUrl, format, quality, language, voice } = input;
    const filename = await bring([{ url: sourceUrl, name: 'source' }, { url: subtitlesUrl, name: 'subtitles' }]);
    const source = await run.probe('source');
    // Before anything is spoken, which may take long or cost.
    const picture = firstVideo(source);
    const cues = await cuesOf(run, source);
    working.report({ step: 'speaking', message: `${cues.length} cues`, percentage: 0 });
    const hurried = await spokenTrack(run, speaker, cues, { language, voice: voice ?? null }, percentagesOf(stageOf(working, 0, 60)));
    working.report({ step: 'mixing', message: null });
    const { video, audio, muxer } = formats[format];
    await run.ffmpeg({
      inputs: [{ name: 'source' }, { name: 'voice.wav' }],
      filters: ['-filter_complex', mixOf(source, input)],
      outputs: [
        {
          options: ['-map', `0:${picture.index}`, '-vf', pictureFilters({ format }, picture).join(','), ...(video?.(quality) ?? []), '-map', '[a]', ...(audio?.(quality) ?? []), '-sn', '-dn', ...muxer],
          name: `made.${format}`,
        },
      ],
      what: 'Mixing the voice',
      seconds: source.seconds,
      onPercentage: percentagesOf(stageOf(working, 60, 100)),
    });
    const files = await madeOf(run, filename, [{ name: mainName, path: `made.${format}`, format, suffix: '-voiceover' }]);
    return { output: { sourceUrl, engine: speaker.name, language, cues: cues.length, hurried }, files };
  });
}

async function cuesOf(run: MediaRun, { seconds }: Probed): Promise<Cue[]> {
  const path = join(run.folder, 'subtitles');
  if ((await stat(path)).size > 5_000_000) throw refused('have more than 5 MB');
  const subtitles = readSubtitles(textOf(await readFile(path)));
  if (subtitles === null) throw refused('are neither SRT, WebVTT nor JSON');
  const cues = subtitles.cues.filter(({ start }) => start < (seconds ?? Infinity));
  if (cues.length === 0) throw refused('have nothing to say');
  if (cues.length > mostCues) throw refused(`have more than ${mostCues} cues`);
  return cues;
}

/** Speaks each cue into its place of one track. Resolves to how many had to be spoken faster. */
async function spokenTrack(run: MediaRun, speaker: Speaker, cues: readonly Cue[], voice: Voice, onPercentage: (percentage: number) => void): Promise<number> {
  const track = await open(join(run.folder, 'voice.wav'), 'wx');
  let hurried = 0;
  let samples = 0;
  try {
    await track.write(waveHeader(rate, 0));
    for (const [index, { start, text }] of cues.entries()) {
      const from = Math.max(samples, Math.round(start * rate));
      const next = cues[index + 1]?.start ?? Infinity;
      const said = await spoken(run, speaker, { text: text.replaceAll('\n', ' '), voice, room: next - from / rate });
      if (said.faster) hurried += 1;
      await writeAt(track, from, said.sound);
      samples = from + said.sound.byteLength / 2;
      onPercentage((100 * (index + 1)) / cues.length);
    }
    await track.write(waveHeader(rate, samples), 0, undefined, 0);
  } finally {
    await track.close();
  }
  return hurried;
}

/** What lies between is a hole of the file: zeros, silence. */
async function writeAt(track: FileHandle, sample: number, sound: Buffer): Promise<void> {
  await track.write(sound, 0, sound.byteLength, waveHeader(rate, 0).byteLength + sample * 2);
}

async function spoken(run: MediaRun, speaker: Speaker, { text, voice, room }: { text: string; voice: Voice; room: number }): Promise<{ sound: Buffer; faster: boolean }> {
  await writeFile(join(run.folder, 'said'), await speak(run, speaker, text, voice));
  const { seconds } = await spokenFile(run);
  // Engines that write to a pipe do not know its length beforehand.
  const length = seconds === null || seconds > 3_600 ? await lengthOf(run) : seconds;
  const faster = length > room;
  const tempo = faster ? [`atempo=${Math.min(fastest, Math.max(1, length / Math.max(room, 0.1))).toFixed(3)}`] : [];
  const chunks: Buffer[] = [];
  await run.ffmpeg({
    inputs: [{ name: 'said' }],
    outputs: [
      {
        options: ['-map', '0:a:0', '-af', [...tempo, `aresample=${rate}`].join(','), ...(Number.isFinite(room) ? ['-t', Math.max(0.05, room).toFixed(3)] : []), '-ac', '1', '-f', 's16le'],
        name: 'pipe:1',
      },
    ],
    what: 'Fitting the voice',
    seconds: null,
    onOutput: (chunk) => chunks.push(chunk),
  });
  await rm(join(run.folder, 'said'));
  return { sound: Buffer.concat(chunks), faster };
}

/** What the engine answered. @throws HandlerError ENGINE_FAILED if it is no sound */
async function spokenFile(run: MediaRun): Promise<Probed> {
  try {
    return await run.probe('said', 'What the engine spoke');
  } catch (error) {
    if (!(error instanceof HandlerError)) throw error;
    throw new HandlerError('ENGINE_FAILED', 'The engine of this server answered with what is no sound. Its operator has to look at it.', { retryable: false, cause: error });
  }
}

/** Seconds, by reading all of it. */
async function lengthOf(run: MediaRun): Promise<number> {
  let bytes = 0;
  await run.ffmpeg({
    inputs: [{ name: 'said' }],
    outputs: [{ options: ['-map', '0:a:0', '-ac', '1', '-ar', String(rate), '-f', 's16le'], name: 'pipe:1' }],
    what: 'Listening to the voice',
    seconds: null,
    onOutput: (chunk) => {
      bytes += chunk.byteLength;
    },
  });
  return bytes / 2 / rate;
}

/** As long as the film: the voice over its own sound, or alone. */
function mixOf({ audio: [own], seconds }: Probed, { volume }: z.output<typeof voiceoverInput>): string {
  const length = seconds === null ? '' : `,apad,atrim=duration=${seconds}`;
  const voice = `[1:a]aresample=48000${length}`;
  return own === undefined ? `${voice}[a]` : `[0:${own.index}]aresample=48000,volume=${volume}[own];${voice}[voice];[own][voice]amix=inputs=2:duration=longest:normalize=0[a]`;
}

function refused(why: string): HandlerError {
  return new HandlerError('MEDIA_REFUSED', `The file of subtitlesUrl cannot be used: the subtitles ${why}. Use others.`, { retryable: false });
}
