import { extname } from 'node:path';

/**
 * Of the endings of usual names; what is not here is left to the server's own word for what nobody knows. Without it a page that shows
 * films and pictures in place would offer to save them.
 */
const byEnding: Readonly<Record<string, string>> = {
  aac: 'audio/aac', flac: 'audio/flac', m4a: 'audio/mp4', mp3: 'audio/mpeg', oga: 'audio/ogg', ogg: 'audio/ogg', opus: 'audio/opus', wav: 'audio/wav',
  apng: 'image/apng', avif: 'image/avif', bmp: 'image/bmp', gif: 'image/gif', jpeg: 'image/jpeg', jpg: 'image/jpeg', png: 'image/png', svg: 'image/svg+xml',
  tif: 'image/tiff', tiff: 'image/tiff', webp: 'image/webp',
  m4v: 'video/x-m4v', mkv: 'video/x-matroska', mov: 'video/quicktime', mp4: 'video/mp4', mpeg: 'video/mpeg', mpg: 'video/mpeg', ogv: 'video/ogg', webm: 'video/webm',
  csv: 'text/csv', htm: 'text/html', html: 'text/html', log: 'text/plain', md: 'text/markdown', srt: 'application/x-subrip', txt: 'text/plain', vtt: 'text/vtt',
  gz: 'application/gzip', json: 'application/json', pdf: 'application/pdf', tar: 'application/x-tar', xml: 'application/xml', zip: 'application/zip',
};

/** What a file holds, as far as its name tells; undefined where it does not. */
export function mediaTypeOf(filename: string): string | undefined {
  const ending = extname(filename).slice(1).toLowerCase();
  return Object.hasOwn(byEnding, ending) ? byEnding[ending] : undefined;
}
