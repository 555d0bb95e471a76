import type { ExportFormat } from '../../../jobs/types/media/fields.ts';
import type { JsonObject } from '../../../json.ts';
import type { MediaRun } from '../../media/media.ts';
import type { Probed } from '../../media/probed.ts';
import { formats } from './encoding.ts';
import { type MadeFile, renamed } from './frame.ts';

/** What an output says of a file of media. */
export function factsOf({ seconds, video: [picture], audio: [sound] }: Probed): JsonObject {
  return {
    seconds: seconds === null ? null : Math.round(seconds * 1_000) / 1_000,
    ...(picture !== undefined && { width: picture.width, height: picture.height, videoCodec: picture.codec }),
    ...(sound !== undefined && { audioCodec: sound.codec }),
  };
}

/** Looks at the files that were made. @param filename of their source */
export async function madeOf(run: MediaRun, filename: string, made: readonly { name: string; path: string; format: ExportFormat; suffix: string }[]): Promise<MadeFile[]> {
  const files: MadeFile[] = [];
  for (const { name, path, format, suffix } of made) {
    files.push({ name, path, filename: renamed(filename, suffix, format), mediaType: formats[format].mediaType, facts: factsOf(await run.probeResult(path)) });
  }
  return files;
}
