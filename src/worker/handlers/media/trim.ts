import { trimInput } from '../../../jobs/types/media/types.ts';
import type { ExportFormat } from '../../../jobs/types/media/fields.ts';
import { mainName } from '../../../files/artifact-entity.ts';
import { type Handler, HandlerError } from '../../handler.ts';
import type { Media, MediaRun } from '../../media/media.ts';
import type { Probed } from '../../media/probed.ts';
import { percentagesOf } from '../../media/stages.ts';
import { formats } from './encoding.ts';
import { outputOf } from './export.ts';
import { madeOf } from './facts.ts';
import { mediaHandler } from './frame.ts';
import { partOf } from './part.ts';

/** `media/trim`: one part of a source, made anew to begin at the very frame, or copied as it is. */
export function createTrimHandler(media: Media): Handler {
  return mediaHandler(media, trimInput, async ({ input, run, working, bring }) => {
    const { sourceUrl, start, end, exact, quality } = input;
    const filename = await bring([{ url: sourceUrl, name: 'source' }]);
    const source = await run.probe('source');
    const part = partOf(source, start, end);
    const own = ownFormat(source);
    const format = exact ? (input.format ?? own ?? (source.video.length > 0 ? 'mp4' : 'mp3')) : own;
    if (!exact && input.format !== undefined && input.format !== format) throw otherFormat(format);
    if (format === null) throw new HandlerError('MEDIA_REFUSED', 'The source is of a format that cannot be copied. Ask for an exact part.', { retryable: false });
    working.report({ step: 'trimming', message: null, percentage: 0 });
    await run.ffmpeg({
      inputs: [{ name: 'source', options: part.options }],
      outputs: [exact ? outputOf({ name: mainName, format, quality, mute: false }, source, { before: part.filters }) : copyOf(format, source)],
      what: 'Trimming',
      seconds: part.seconds,
      onPercentage: percentagesOf(working),
    });
    const begin = exact ? part.start : await copiedFrom(run, source, part.start);
    const { seconds } = await run.probeResult(pathOf(format));
    return { output: { sourceUrl, start: begin, seconds }, files: await madeOf(run, filename, [{ name: mainName, path: pathOf(format), format, suffix: '-part' }]) };
  });
}

function pathOf(format: ExportFormat): string {
  return `made-${mainName}.${format}`;
}

/** The format of a source, where it is one that we make. */
function ownFormat({ container, video: [picture], audio: [sound] }: Probed): ExportFormat | null {
  const names = container.split(',');
  if (names.includes('mp4')) return 'mp4';
  if (names.includes('webm') && ['vp8', 'vp9', 'av1', undefined].includes(picture?.codec) && ['opus', 'vorbis', undefined].includes(sound?.codec)) return 'webm';
  for (const format of ['mp3', 'wav', 'gif'] as const) if (names.includes(format)) return format;
  return null;
}

/** A copy can only be of the format that is there. */
function otherFormat(own: ExportFormat | null): HandlerError {
  const which = own === null ? 'none that can be copied' : own;
  return new HandlerError('INPUT_REFUSED', `A part that is not exact is copied in the format of its source, which is ${which}. Leave format out, or ask for an exact part.`, { retryable: false });
}

/** Where a copy begins: with the key frame before its start, or the packet of sound. */
async function copiedFrom(run: MediaRun, { video, begins }: Probed, start: number): Promise<number> {
  if (start === 0) return 0;
  let found: number | null = null;
  const streams = video.length > 0 ? 'V:0' : 'a:0';
  await run.ask('source', ['-read_intervals', `${start + begins}%+#1`, '-select_streams', streams, '-show_entries', 'packet=pts_time', '-print_format', 'csv=p=0'], (line) => {
    const time = line === '' ? NaN : Number(line.split(',')[0]);
    if (Number.isFinite(time)) found ??= time - begins;
  });
  return found === null ? start : Math.round(Math.max(0, found) * 1_000) / 1_000;
}

function copyOf(format: ExportFormat, { video: [picture], audio: [sound] }: Probed) {
  const streams = [picture, sound].flatMap((stream) => (stream === undefined ? [] : ['-map', `0:${stream.index}`]));
  return { options: [...streams, '-c', 'copy', '-map_chapters', '-1', '-avoid_negative_ts', 'make_zero', ...formats[format].muxer], name: pathOf(format) };
}
