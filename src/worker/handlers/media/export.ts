import type { z } from 'zod';
import type { ExportFormat, Quality } from '../../../jobs/types/media/fields.ts';
import { exportInput, outputNames } from '../../../jobs/types/media/types.ts';
import { mainName } from '../../../files/artifact-entity.ts';
import type { Handler } from '../../handler.ts';
import type { Media, Output } from '../../media/media.ts';
import { firstAudio, firstVideo } from '../../media/probe.ts';
import type { Probed } from '../../media/probed.ts';
import { percentagesOf } from '../../media/stages.ts';
import { captionFilters } from './captions.ts';
import { formats, type Picture, type PictureChain, pictureFilters } from './encoding.ts';
import { madeOf } from './facts.ts';
import { mediaHandler } from './frame.ts';
import { partOf } from './part.ts';

/** One file to be made. */
interface Wanted extends Picture {
  name: string;
  quality: Quality;
  mute: boolean;
}

/** `media/export`: other formats, sizes and parts of a source, several at once. The source is read and decoded once. */
export function createExportHandler(media: Media): Handler {
  return mediaHandler(media, exportInput, async ({ input, run, working, bring }) => {
    const { sourceUrl, subtitlesUrl, start, end } = input;
    const captions = subtitlesUrl === undefined ? [] : [{ url: subtitlesUrl, name: 'subtitles' }];
    const filename = await bring([{ url: sourceUrl, name: 'source' }, ...captions]);
    const source = await run.probe('source');
    const part = partOf(source, start, end);
    const captioning = subtitlesUrl === undefined ? [] : await captionFilters(run, 'subtitles', part.start);
    const wanted = wantedOf(input);
    working.report({ step: 'exporting', message: wanted.map(({ format }) => format).join(', '), percentage: 0 });
    await run.ffmpeg({
      inputs: [{ name: 'source', options: part.options }],
      outputs: wanted.map((each) => outputOf(each, source, { before: part.filters, drawing: captioning })),
      what: 'The export',
      seconds: part.seconds,
      onPercentage: percentagesOf(working),
    });
    const made = wanted.map(({ name, format }) => ({ name, path: pathOf(name, format), format, suffix: wanted.length === 1 ? '' : `-${name}` }));
    return { output: { sourceUrl }, files: await madeOf(run, filename, made) };
  });
}

function pathOf(name: string, format: ExportFormat): string {
  return `made-${name}.${format}`;
}

function wantedOf({ outputs, ...all }: z.output<typeof exportInput>): Wanted[] {
  if (outputs === undefined) return [{ ...all, name: mainName }];
  const names = outputNames(outputs, all.format);
  return outputs.map((each, index): Wanted => ({
    name: names[index] ?? '',
    format: each.format ?? all.format,
    width: each.width ?? all.width,
    height: each.height ?? all.height,
    frameRate: each.frameRate ?? all.frameRate,
    quality: each.quality ?? all.quality,
    mute: each.mute ?? all.mute,
  }));
}

/** How ffmpeg makes it. @throws HandlerError if the source lacks what the format needs */
export function outputOf(wanted: Wanted, source: Probed, filters: PictureChain): Output {
  const { name, format, quality, mute } = wanted;
  const { video, audio, muxer } = formats[format];
  const picture = video === null ? null : firstVideo(source);
  const sound = video === null ? firstAudio(source) : mute ? undefined : source.audio[0];
  return {
    options: [
      ...(picture === null || video === null ? ['-vn'] : ['-map', `0:${picture.index}`, '-vf', pictureFilters(wanted, picture, filters).join(','), ...video(quality)]),
      ...(sound === undefined || audio === null ? ['-an'] : ['-map', `0:${sound.index}`, ...audio(quality)]),
      '-sn', '-dn', '-map_chapters', '-1',
      ...muxer,
    ],
    name: pathOf(name, format),
  };
}
