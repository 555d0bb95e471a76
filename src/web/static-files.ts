import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { codingFor } from './compression.ts';
import { vary } from './vary.ts';

/** A file that a page needs. */
export interface StaticFile {
  /** `style.css`. */
  name: string;
  type: 'text/javascript' | 'text/css' | 'image/png';
  read(): Promise<string | Buffer>;
}

const inBrotli = promisify(brotliCompress);
const inGzip = promisify(gzip);

/**
 * The files of a page, under names that change with their content: browsers keep them for ever, and fetch them again after an
 * upgrade. Read and compressed when the first browser asks, because most processes never show a page.
 */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;
  readonly #hashes = new Map<string, Promise<string>>();
  readonly #compressed = new Map<string, Promise<Buffer>>();

  constructor(files: readonly StaticFile[]) {
    this.#files = new Map(files.map((file) => [file.name, file]));
  }

  /** The path of each file from the folder that they are served in. */
  async paths(): Promise<Readonly<Record<string, string>>> {
    const names = [...this.#files.keys()];
    return Object.fromEntries(await Promise.all(names.map(async (name) => [name, `${await this.#hash(name)}/${name}`])));
  }

  /** @param folder where they are served: `/docs` */
  mount(app: FastifyInstance, folder: string): void {
    app.get<{ Params: { hash: string; name: string } }>(`${folder}/:hash/:name`, async (request, reply) => {
      const { hash, name } = request.params;
      const file = this.#files.get(name);
      if (file === undefined || hash !== (await this.#hash(name))) return reply.callNotFound();
      return this.#send(request, reply, file);
    });
  }

  async #send(request: FastifyRequest, reply: FastifyReply, file: StaticFile): Promise<FastifyReply> {
    vary(reply, 'Accept-Encoding');
    reply.headers({ 'cache-control': 'public, max-age=31536000, immutable', 'x-content-type-options': 'nosniff' });
    reply.type(file.type === 'image/png' ? file.type : `${file.type}; charset=utf-8`);
    const coding = file.type === 'image/png' ? 'identity' : codingFor(request, ['br', 'gzip']);
    if (coding === 'identity') return reply.header('content-encoding', 'identity').send(Buffer.from(await file.read()));
    return reply.header('content-encoding', coding).send(await this.#inCoding(file, coding));
  }

  #inCoding(file: StaticFile, coding: 'br' | 'gzip'): Promise<Buffer> {
    const key = `${coding} ${file.name}`;
    const known = this.#compressed.get(key) ?? compress(file, coding);
    this.#compressed.set(key, known);
    return known;
  }

  #hash(name: string): Promise<string> {
    const known = this.#hashes.get(name) ?? hashOf(this.#files.get(name));
    this.#hashes.set(name, known);
    return known;
  }
}

async function compress(file: StaticFile, coding: 'br' | 'gzip'): Promise<Buffer> {
  const content = await file.read();
  // A higher quality saves a tenth and takes seconds.
  return coding === 'gzip' ? inGzip(content) : inBrotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
}

async function hashOf(file: StaticFile | undefined): Promise<string> {
  return createHash('sha256').update((await file?.read()) ?? '').digest('base64url').slice(0, 16);
}
