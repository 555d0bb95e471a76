import { MIMEType } from 'node:util';

/** What a file is where nobody knows better. */
export const unknownMediaType = 'application/octet-stream';

/** Of a registered type (RFC 6838, section 4.2): no wildcard, which is for Accept alone. */
const concrete = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** Parameters that tell a browser how to read what it shows. */
const telling = ['charset', 'codecs'] as const;

/** One type. None of the characters by which a second one could begin is in its parameters, quoted or not. */
const oneType = /^[^\s;,/"]+\/[^\s;,/"]+(?:\s*;\s*[\w-]+=(?:[\w.+-]+|"[\w.+\-:, ]*"))*\s*$/;

/**
 * A media type of a file as it is stored and sent, `type/subtype;name=value`, with all its parameters, in ASCII. Null if it is
 * none: a range such as image/*, or multipart, whose parts would be served as if they were ours.
 */
export function normalType(mediaType: string): string | null {
  const type = parsed(mediaType);
  if (type === null || !concrete.test(type.essence) || type.type === 'multipart') return null;
  const text = type.toString();
  return /^[\x20-\x7e]{1,200}$/.test(text) ? text : null;
}

/** The type without parameters, and rebuilt with those alone that a browser needs; null where more than one type could be read in it. */
export function singleType(mediaType: string): { essence: string; text: string } | null {
  const type = parsed(mediaType);
  if (type === null || !oneType.test(mediaType)) return null;
  const rebuilt = new MIMEType(type.essence);
  for (const name of telling) {
    const value = type.params.get(name);
    if (value !== null) rebuilt.params.set(name, value);
  }
  return { essence: type.essence, text: rebuilt.toString() };
}

function parsed(mediaType: string): MIMEType | null {
  try {
    return new MIMEType(mediaType);
  } catch {
    return null;
  }
}
