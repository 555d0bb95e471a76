import { parse as parseDisposition } from 'content-disposition';

const maxBytes = 200;

/**
 * The name of a downloaded file: from Content-Disposition, else the last segment of the URL's path, else `download`.
 */
export function filenameOf(url: string, contentDisposition: string | undefined): string {
  return cleanFilename(dispositionName(contentDisposition)) ?? cleanFilename(pathName(url)) ?? 'download';
}

/**
 * Makes a file name safe: its last path segment, without control and invisible formatting characters, and shortened to
 * 200 bytes of UTF-8 with its extension kept. Returns null if nothing is left.
 */
export function cleanFilename(name: string): string | null {
  const base = name.split(/[/\\]/).findLast((part) => part.trim() !== '') ?? '';
  // Category Cf includes the marks that reverse text, which make `exe.jpg` read as `gpj.exe`.
  const clean = base.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/gu, '').normalize('NFC').trim();
  return /^\.*$/.test(clean) ? null : shorten(clean);
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= maxBytes) return name;
  const extension = /\.[\w-]{1,16}$/.exec(name)?.[0] ?? '';
  let stem = '';
  let room = maxBytes - Buffer.byteLength(extension);
  for (const character of name.slice(0, name.length - extension.length)) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    stem += character;
  }
  return stem.trimEnd() + extension;
}

function dispositionName(header: string | undefined): string {
  if (header === undefined) return '';
  const { parameters } = parseDisposition(header);
  const name = parameters['filename'] ?? '';
  return parameters['filename*'] === undefined ? fromLatin1(name) : name;
}

/** Many servers put plain UTF-8 into the header, and it arrives decoded as Latin-1. Like browsers, this undoes that. */
function fromLatin1(text: string): string {
  const utf8 = Buffer.from(text, 'latin1').toString('utf8');
  return utf8.includes('\uFFFD') ? text : utf8;
}

function pathName(url: string): string {
  const { pathname } = new URL(url);
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}
