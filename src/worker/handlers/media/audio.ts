import { z } from 'zod';
import type { ExportFormat } from '../../../jobs/types/media/fields.ts';
import { audioInput } from '../../../jobs/types/media/types.ts';
import { mainName } from '../../../files/artifact-entity.ts';
import { parseJson } from '../../../json.ts';
import { type Handler, HandlerError } from '../../handler.ts';
import type { Media, MediaRun, Output } from '../../media/media.ts';
import { firstAudio, firstVideo } from '../../media/probe.ts';
import type { Probed } from '../../media/probed.ts';
import { percentagesOf } from '../../media/stages.ts';
import { formats, pictureFilters } from './encoding.ts';
import { madeOf } from './facts.ts';
import { mediaHandler } from './frame.ts';

type Input = z.output<typeof audioInput>;

/** Peaks of what is levelled, in dBTP, and the range of its loudness, in LU. */
const truePeak = -1.5;
const range = 11;

/** What the filter `loudnorm` has measured, as it prints it. */
const measured = z.object({ input_i: z.string(), input_tp: z.string(), input_lra: z.string(), input_thresh: z.string(), target_offset: z.string() });

/** `media/audio`: the sound of a source alone, at one loudness, with another one over it, or replaced. */
export function createAudioHandler(media: Media): Handler {
  return mediaHandler(media, audioInput, async ({ input, run, working, bring }) => {
    const { sourceUrl, audioUrl, operation } = input;
    const filename = await bring([{ url: sourceUrl, name: 'source' }, ...(audioUrl === undefined || operation === 'extract' || operation === 'normalise' ? [] : [{ url: audioUrl, name: 'other' }])]);
    const source = await run.probe('source');
    const format = formatOf(input, source);
    working.report({ step: stepOf[operation], message: null, percentage: 0 });
    const sound = await soundOf(input, source, run);
    await run.ffmpeg({
      inputs: [{ name: 'source' }, ...(sound.other ? [{ name: 'other' }] : [])],
      filters: ['-filter_complex', sound.graph],
      outputs: [outputOf(input, source, format)],
      what: 'Working on the sound',
      seconds: source.seconds,
      onPercentage: percentagesOf(working),
    });
    return { output: { sourceUrl, operation, ...sound.facts }, files: await madeOf(run, filename, [{ name: mainName, path: `made.${format}`, format, suffix: '-sound' }]) };
  });
}

const stepOf: Readonly<Record<Input['operation'], string>> = { extract: 'extracting', normalise: 'levelling', mix: 'mixing', replace: 'replacing' };

function formatOf({ operation, format }: Input, { video }: Probed): ExportFormat {
  return format ?? (operation === 'extract' || video.length === 0 ? 'mp3' : 'mp4');
}

/** The filters that make the sound `[a]`, and what the output says of it. */
async function soundOf(input: Input, source: Probed, run: MediaRun): Promise<{ graph: string; other: boolean; facts: Record<string, number> }> {
  const { operation, loudness, volume, audioVolume } = input;
  // Where the sound is replaced, there need be none.
  const own = operation === 'replace' ? '' : `[0:${firstAudio(source).index}]`;
  switch (operation) {
    case 'extract':
      return { graph: `${own}anull[a]`, other: false, facts: {} };
    case 'normalise': {
      const { filter, before } = await levelling(run, own, loudness);
      return { graph: `${own}${filter}[a]`, other: false, facts: { loudness, loudnessBefore: before } };
    }
    case 'mix': {
      const other = await otherSound(run);
      return { graph: `${own}volume=${volume}[own];[1:${other}]volume=${audioVolume}[other];[own][other]amix=inputs=2:duration=first:normalize=0[a]`, other: true, facts: {} };
    }
    case 'replace': {
      const other = await otherSound(run);
      // As long as the picture: what is missing is silence.
      const length = source.seconds === null ? '' : `,apad,atrim=duration=${source.seconds}`;
      return { graph: `[1:${other}]volume=${audioVolume}${length}[a]`, other: true, facts: {} };
    }
  }
}

async function otherSound(run: MediaRun): Promise<number> {
  return firstAudio(await run.probe('other', 'The other sound (audioUrl)'), 'The other sound (audioUrl)').index;
}

/** Measures first: in one pass, `loudnorm` would have to guess, and change the loudness as it goes (EBU R128). */
async function levelling(run: MediaRun, own: string, loudness: number): Promise<{ filter: string; before: number }> {
  const target = `loudnorm=I=${loudness}:TP=${truePeak}:LRA=${range}`;
  const lines: string[] = [];
  await run.ffmpeg({
    inputs: [{ name: 'source' }],
    filters: ['-filter_complex', `${own}${target}:print_format=json[measured]`],
    outputs: [{ options: ['-map', '[measured]', '-f', 'null'], name: '-' }],
    what: 'Measuring the loudness',
    seconds: null,
    onLine: (line) => {
      if (/^\s*(?:[{}]|"\w+" : )/.test(line)) lines.push(line);
    },
  });
  const found = measured.parse(parseJson(lines.join('\n')));
  const before = Number(found.input_i);
  if (!Number.isFinite(before)) throw new HandlerError('MEDIA_REFUSED', 'The sound of the source is silent. Use one that is to be heard.', { retryable: false });
  const { input_tp: peak, input_lra: lra, input_thresh: threshold, target_offset: offset } = found;
  const known = `measured_I=${found.input_i}:measured_TP=${peak}:measured_LRA=${lra}:measured_thresh=${threshold}:offset=${offset}`;
  // It works at 192 kHz.
  return { filter: `${target}:${known}:linear=true,aresample=48000`, before };
}

function outputOf({ quality }: Input, source: Probed, format: ExportFormat): Output {
  const { video, audio, muxer } = formats[format];
  const picture = video === null ? null : firstVideo(source);
  const seen = picture === null || video === null ? ['-vn'] : ['-map', `0:${picture.index}`, ...pictureOptions(format, picture.codec) ?? ['-vf', pictureFilters({ format }, picture).join(','), ...video(quality)]];
  return { options: [...seen, '-map', '[a]', ...(audio === null ? [] : audio(quality)), '-sn', '-dn', '-map_chapters', '-1', ...muxer], name: `made.${format}` };
}

/** A picture that fits stays as it is. */
function pictureOptions(format: ExportFormat, codec: string): string[] | null {
  const fits = format === 'mp4' ? codec === 'h264' : ['vp8', 'vp9'].includes(codec);
  return fits ? ['-c:v', 'copy'] : null;
}
