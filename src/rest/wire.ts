import { STATUS_CODES } from 'node:http';
import { type Answer, commonHeaders, jsonType } from './answer.ts';

/** What goes over the wire of an answer that may be given many times. */
interface Wire {
  /** Status line and headers, but for those of the connection and of the moment. */
  head: string;
  encoding: 'latin1' | 'utf8';
}

const known = new WeakMap<Answer, Wire>();

/** Made once for each answer. */
export function wireOf(answer: Answer): Wire {
  const found = known.get(answer);
  if (found !== undefined) return found;
  const wire = made(answer);
  known.set(answer, wire);
  return wire;
}

function made({ status, headers = {}, body }: Answer): Wire {
  const length = Buffer.byteLength(body);
  const type = body === '' ? '' : `content-type: ${jsonType}\r\ncontent-length: ${length}\r\n`;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${wireHeaders(commonHeaders)}${wireHeaders(headers)}${type}`;
  return { head, encoding: length === body.length ? 'latin1' : 'utf8' };
}

/** Each on a line of its own. */
export function wireHeaders(headers: Readonly<Record<string, string>>): string {
  let lines = '';
  for (const name in headers) lines += `${name}: ${headers[name]}\r\n`;
  return lines;
}
