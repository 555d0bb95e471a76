import { concatenateInput } from '../../../jobs/types/media/types.ts';
import { mainName } from '../../../files/artifact-entity.ts';
import { type Handler, HandlerError } from '../../handler.ts';
import type { Media } from '../../media/media.ts';
import { firstAudio, firstVideo } from '../../media/probe.ts';
import type { Probed, VideoStream } from '../../media/probed.ts';
import { percentagesOf } from '../../media/stages.ts';
import { formats } from './encoding.ts';
import { madeOf } from './facts.ts';
import { mediaHandler } from './frame.ts';
import { checkSize } from './picture-size.ts';

/** Frames a second where the first part does not say. */
const usualFrames = 25;
const mostFrames = 60;

interface Frame {
  width: number;
  height: number;
  rate: number;
}

/** `media/concatenate`: several sources one after another, all made as large and as fast as the first. */
export function createConcatenateHandler(media: Media): Handler {
  return mediaHandler(media, concatenateInput, async ({ input, run, working, bring }) => {
    const { sourceUrls, format, quality } = input;
    const filename = await bring(sourceUrls.map((url, index) => ({ url, name: `source-${index}` })));
    const sources: Probed[] = [];
    for (const index of sourceUrls.keys()) sources.push(await run.probe(`source-${index}`, `Part ${index + 1}`));
    const lengths = sources.map(({ seconds }, index) => lengthOf(seconds, index));
    const seconds = lengths.reduce((all, one) => all + one, 0);
    if (seconds > media.limits.maxSeconds) throw refused(`The parts are longer than ${media.limits.maxSeconds / 3600} hours together, the limit. Use fewer.`);
    const { video, audio, muxer } = formats[format];
    const frame = video === null ? null : frameOf(input, sources);
    const sounds = video === null || sources.some((source) => source.audio.length > 0);
    if (video === null) for (const [index, source] of sources.entries()) firstAudio(source, `Part ${index + 1}`);
    working.report({ step: 'joining', message: `${sources.length} parts`, percentage: 0 });
    await run.ffmpeg({
      inputs: sources.map((_, index) => ({ name: `source-${index}` })),
      filters: ['-filter_complex', graphOf(sources, lengths, frame, sounds)],
      outputs: [
        {
          options: [...(frame === null || video === null ? ['-vn'] : ['-map', '[v]', ...video(quality)]), ...(sounds && audio !== null ? ['-map', '[a]', ...audio(quality)] : ['-an']), ...muxer],
          name: `made.${format}`,
        },
      ],
      what: 'Joining the parts',
      seconds,
      onPercentage: percentagesOf(working),
    });
    return { output: { sourceUrls }, files: await madeOf(run, filename, [{ name: mainName, path: `made.${format}`, format, suffix: '-joined' }]) };
  });
}

/** A part without a length of its own would have no place. */
function lengthOf(seconds: number | null, index: number): number {
  if (seconds !== null) return seconds;
  throw refused(`Part ${index + 1} has no length: it is a still picture, or is damaged. Use a video or sound.`);
}

function frameOf({ width, height, frameRate }: { width?: number | undefined; height?: number | undefined; frameRate?: number | undefined }, sources: readonly Probed[]): Frame {
  const without = sources.findIndex(({ video }) => video.length === 0);
  if (without >= 0) throw refused(`Part ${without + 1} has no picture. Use a video, or ask for the format mp3 or wav.`);
  const [first] = sources.map((source) => firstVideo(source));
  if (first === undefined) throw refused('There are no parts. Name two or more.');
  const form = (first.width * first.pixelForm) / first.height;
  const wide = width ?? (height === undefined ? first.width * first.pixelForm : height * form);
  const size = { width: even(wide), height: even(height ?? wide / form) };
  checkSize(size);
  return { ...size, rate: frameRate ?? Math.min(first.frameRate ?? usualFrames, mostFrames) };
}

/** Each part's picture in the frame, and its sound, or as much silence, in one form: the filter `concat` takes nothing else. */
function graphOf(sources: readonly Probed[], lengths: readonly number[], frame: Frame | null, sounds: boolean): string {
  const chains = sources.flatMap(({ video: [picture], audio: [sound] }, index) => {
    const seconds = lengths[index] ?? 0;
    return [
      ...(frame === null || picture === undefined
        ? []
        : [
            `[${index}:${picture.index}]${squareFilter(picture)}scale=${frame.width}:${frame.height}:force_original_aspect_ratio=decrease,` +
              `pad=${frame.width}:${frame.height}:(ow-iw)/2:(oh-ih)/2,setsar=1,fps=${frame.rate},format=yuv420p[v${index}]`,
          ]),
      ...(!sounds
        ? []
        : sound === undefined
          ? [`anullsrc=r=48000:cl=stereo:d=${seconds}[a${index}]`]
          : [`[${index}:${sound.index}]aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo[a${index}]`]),
    ];
  });
  const inputs = sources.map((_, index) => `${frame === null ? '' : `[v${index}]`}${sounds ? `[a${index}]` : ''}`).join('');
  return [...chains, `${inputs}concat=n=${sources.length}:v=${frame === null ? 0 : 1}:a=${sounds ? 1 : 0}${frame === null ? '' : '[v]'}${sounds ? '[a]' : ''}`].join(';');
}

/** The frame is of square pixels. */
function squareFilter({ pixelForm }: VideoStream): string {
  return pixelForm === 1 ? '' : 'scale=iw*sar:ih,';
}

function even(pixels: number): number {
  return Math.max(16, 2 * Math.round(pixels / 2));
}

function refused(message: string): HandlerError {
  return new HandlerError('MEDIA_REFUSED', message, { retryable: false });
}
