import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { mainName } from '../../../files/artifact-entity.ts';
import { previewFields } from '../../../jobs/types/media/types.ts';
import type { Handler } from '../../handler.ts';
import type { Media, MediaRun } from '../../media/media.ts';
import { firstAudio, firstVideo } from '../../media/probe.ts';
import type { Probed } from '../../media/probed.ts';
import { formats, pictureFilters } from './encoding.ts';
import { factsOf, madeOf } from './facts.ts';
import { type MadeFile, mediaHandler, renamed } from './frame.ts';
import { checkSize } from './picture-size.ts';
import { cueSheet, makeSheet } from './sheet.ts';

const previewInput = z.looseObject(previewFields);
type Input = z.output<typeof previewInput>;

/** Looks at so many frames for one that shows something. */
const framesSeen = 100;

const jpeg = ['-frames:v', '1', '-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj420p', '-f', 'image2', '-update', '1'];

/** `preview`: a picture, a page of pictures, a clip or a drawing of the sound. */
export function createPreviewHandler(media: Media): Handler {
  return mediaHandler(media, previewInput, async ({ input, run, working, bring }) => {
    const kind = input.kind ?? 'poster';
    const filename = await bring([{ url: input.sourceUrl, name: 'source' }]);
    const source = await run.probe('source');
    working.report({ step: 'drawing', message: kind, percentage: 0 });
    const files = await makers[kind]({ input, run, source, filename });
    return { output: { sourceUrl: input.sourceUrl, kind, ...factsOf(source) }, files };
  });
}

interface Making {
  input: Input;
  run: MediaRun;
  source: Probed;
  /** Of the source. */
  filename: string;
}

const makers: Readonly<Record<NonNullable<Input['kind']>, (making: Making) => Promise<MadeFile[]>>> = {
  poster: async ({ input, run, source, filename }) => {
    const { index, width: wide, height: high, pixelForm } = firstVideo(source);
    const width = even(input.width ?? 640);
    const height = even((width * high) / (wide * pixelForm));
    checkSize({ width, height });
    // The middle of a film says more than its first second, which is black.
    const at = withinSource(source, input.at ?? (source.seconds === null ? 0 : source.seconds / 10));
    const choosing = input.at == null && source.seconds !== null ? [`thumbnail=n=${framesSeen}`] : [];
    await picture(run, { options: seek(at), map: String(index), filters: [...choosing, `scale=${width}:${height}`, 'setsar=1'], name: 'poster.jpg' });
    return [await image(run, 'poster.jpg', mainName, renamed(filename, '-poster', 'jpg'))];
  },
  contactSheet: async ({ input, run, source, filename }) => {
    await makeSheet(run, source, { columns: input.columns ?? 4, rows: input.rows ?? 4, width: even(input.width ?? 160), name: 'sheet.jpg' });
    return [await image(run, 'sheet.jpg', mainName, renamed(filename, '-sheet', 'jpg'))];
  },
  sprite: async ({ input, run, source, filename }) => {
    const sprite = renamed(filename, '-sprite', 'jpg');
    const sheet = await makeSheet(run, source, { columns: input.columns ?? 10, rows: input.rows ?? 10, width: even(input.width ?? 160), name: 'sprite.jpg' });
    await writeFile(join(run.folder, 'sprite.vtt'), cueSheet(sheet, sprite));
    return [await image(run, 'sprite.jpg', mainName, sprite), { path: 'sprite.vtt', name: 'vtt', filename: renamed(filename, '-sprite', 'vtt'), mediaType: 'text/vtt' }];
  },
  clip: async ({ input, run, source, filename }) => {
    const video = firstVideo(source);
    const { muxer, video: encode } = formats.mp4;
    const at = withinSource(source, input.at ?? (source.seconds ?? 0) / 3);
    const filters = pictureFilters({ format: 'mp4', width: input.width ?? 640 }, video).join(',');
    await run.ffmpeg({
      inputs: [{ name: 'source', options: [...seek(at), '-t', String(input.seconds ?? 3)] }],
      outputs: [{ options: ['-map', `0:${video.index}`, '-vf', filters, ...(encode?.('medium') ?? []), '-an', '-sn', '-dn', ...muxer], name: 'clip.mp4' }],
      what: 'The clip',
      seconds: null,
    });
    return madeOf(run, filename, [{ name: mainName, path: 'clip.mp4', format: 'mp4', suffix: '-clip' }]);
  },
  waveform: async ({ input, run, source, filename }) => {
    const width = even(input.width ?? 1280);
    await run.ffmpeg({
      inputs: [{ name: 'source' }],
      filters: ['-filter_complex', `[0:${firstAudio(source).index}]aformat=channel_layouts=mono,showwavespic=s=${width}x${even(width / 5)}:colors=0x3b6fd4[drawn]`],
      outputs: [{ options: ['-map', '[drawn]', '-frames:v', '1', '-c:v', 'png', '-f', 'image2', '-update', '1'], name: 'waveform.png' }],
      what: 'Drawing the sound',
      seconds: null,
    });
    return [{ ...(await image(run, 'waveform.png', mainName, renamed(filename, '-waveform', 'png'))), mediaType: 'image/png' }];
  },
};

async function picture(run: MediaRun, { options, map, filters, name }: { options: string[]; map: string; filters: string[]; name: string }): Promise<void> {
  await run.ffmpeg({ inputs: [{ name: 'source', options }], outputs: [{ options: ['-map', `0:${map}`, '-vf', filters.join(','), ...jpeg], name }], what: 'The picture', seconds: null });
}

async function image(run: MediaRun, path: string, name: string, filename: string): Promise<MadeFile> {
  const { video: [seen] } = await run.probeResult(path);
  return { path, name, filename, mediaType: 'image/jpeg', facts: seen === undefined ? {} : { width: seen.width, height: seen.height } };
}

function seek(at: number): string[] {
  return at > 0 ? ['-ss', at.toFixed(3)] : [];
}

/** Not after the last frame, of which there would be no picture. */
function withinSource({ seconds }: Probed, at: number): number {
  return seconds === null ? 0 : Math.min(at, Math.max(0, seconds - 0.5));
}

function even(pixels: number): number {
  return Math.max(2, Math.floor(pixels / 2) * 2);
}
