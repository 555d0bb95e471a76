import { singleType } from './media-type.ts';

/**
 * What a browser may show in place of saving it: media and plain text, in which nothing runs. In HTML, XML and SVG scripts run,
 * and in PDFs, too, which Chromium does not show inside a sandbox anyway.
 */
const harmless: ReadonlySet<string> = new Set([
  'audio/aac', 'audio/flac', 'audio/mp4', 'audio/mpeg', 'audio/ogg', 'audio/opus', 'audio/wav', 'audio/webm',
  'audio/x-flac', 'audio/x-m4a', 'audio/x-wav',
  'image/apng', 'image/avif', 'image/bmp', 'image/gif', 'image/jpeg', 'image/png', 'image/webp',
  'text/plain', 'text/vtt',
  'video/mp4', 'video/mpeg', 'video/ogg', 'video/quicktime', 'video/webm', 'video/x-m4v', 'video/x-matroska',
]);

/** How a browser may be told to show a file of this media type: of one type alone. Null if it is to be saved. */
export function shownType(mediaType: string): string | null {
  const type = singleType(mediaType);
  return type !== null && harmless.has(type.essence) ? type.text : null;
}
