import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HandlerError } from '../../handler.ts';
import type { MediaRun } from '../../media/media.ts';

const maxBytes = 5_000_000;

const drawn = 'captions.ass';

/**
 * Makes subtitles of the folder ready to be drawn. They become ASS of ffmpeg's own writing, so that the filter, which would read a file of
 * any format, reads nothing else.
 *
 * @returns the filters that draw them into a picture which begins at `start`
 * @throws HandlerError MEDIA_REFUSED
 */
export async function captionFilters(run: MediaRun, name: string, start: number): Promise<string[]> {
  const path = join(run.folder, name);
  const content = await readFile(path);
  if (content.byteLength > maxBytes) throw refused(`have more than ${maxBytes} bytes`);
  await writeFile(path, textOf(content));
  if (!(await run.hasSubtitles(name))) throw refused('are neither SRT, WebVTT nor ASS, or hold nothing');
  await run.ffmpeg({
    inputs: [{ name, kind: 'captions' }],
    outputs: [{ options: ['-map', '0:s:0', '-c:s', 'ass', '-f', 'ass'], name: drawn }],
    what: 'Reading the subtitles',
    seconds: null,
  });
  return start === 0 ? [`ass=${drawn}`] : [`setpts=PTS+${start}/TB`, `ass=${drawn}`, `setpts=PTS-${start}/TB`];
}

/** The text of subtitles: old files are often not UTF-8. @throws HandlerError MEDIA_REFUSED */
export function textOf(content: Buffer): string {
  for (const encoding of ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252']) {
    const marked = { 'utf-16le': '\uFEFF', 'utf-16be': '\uFEFF' }[encoding];
    try {
      const text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content);
      if (marked === undefined || text.startsWith(marked)) return text.replace(/^\uFEFF/, '');
    } catch {
      // Not this one.
    }
  }
  throw refused('are no text');
}

function refused(why: string): HandlerError {
  return new HandlerError('MEDIA_REFUSED', `The file of subtitlesUrl cannot be used: the subtitles ${why}. Use others.`, { retryable: false });
}
