import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { codingFor } from './compression.ts';
import { vary } from './vary.ts';

/** Of what pages are made, by the ending of a file's name; whether compressing it saves anything. */
const types = {
  js: { type: 'text/javascript; charset=utf-8', compressible: true },
  css: { type: 'text/css; charset=utf-8', compressible: true },
  svg: { type: 'image/svg+xml', compressible: true },
  png: { type: 'image/png', compressible: false },
} as const;

const inBrotli = promisify(brotliCompress);
const inGzip = promisify(gzip);

/** A file of a page. */
export interface PageFile {
  /** `style.css`: its ending tells what it is. */
  name: string;
  read(): Promise<string | Buffer>;
}

/** Sends files that browsers keep for ever, as their addresses change with their content. Compressed when the first browser asks, because most processes never show a page. */
export class CompressedFiles {
  readonly #compressed = new Map<string, Promise<Buffer>>();

  async send(request: FastifyRequest, reply: FastifyReply, file: PageFile): Promise<FastifyReply> {
    const { type, compressible } = types[endingOf(file.name)];
    const coding = compressible ? codingFor(request, ['br', 'gzip']) : 'identity';
    const content = coding === 'identity' ? Buffer.from(await file.read()) : await this.#inCoding(file, coding);
    vary(reply, 'Accept-Encoding');
    const headers = { 'cache-control': 'public, max-age=31536000, immutable', 'x-content-type-options': 'nosniff', 'content-encoding': coding };
    return reply.headers(headers).type(type).send(content);
  }

  #inCoding(file: PageFile, coding: 'br' | 'gzip'): Promise<Buffer> {
    const key = `${coding} ${file.name}`;
    const known = this.#compressed.get(key) ?? compress(file, coding);
    this.#compressed.set(key, known);
    known.catch(() => this.#compressed.delete(key));
    return known;
  }
}

function endingOf(name: string): keyof typeof types {
  const ending = name.slice(name.lastIndexOf('.') + 1);
  if (isKnown(ending)) return ending;
  throw new RangeError(`no page is made of files like ${name}`);
}

/** Whether pages are made of files whose names end so. */
export function isKnown(ending: string): ending is keyof typeof types {
  return Object.hasOwn(types, ending);
}

async function compress(file: PageFile, coding: 'br' | 'gzip'): Promise<Buffer> {
  const content = await file.read();
  // A higher quality saves a tenth and takes seconds.
  return coding === 'gzip' ? inGzip(content) : inBrotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
}
