import { basename, extname } from 'node:path';

/** Bytes of a file's name on usual file systems. */
const longestName = 255;

/** A name that is somebody else's, as one within a folder: of a path in it only the end counts. */
export function safeFileName(name: string): string {
  const last = basename(name).replaceAll('\0', '');
  if (last === '' || last === '.' || last === '..') return 'file';
  return Buffer.byteLength(last) > longestName ? `file${extname(last).slice(0, 20)}` : last;
}
