import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { CompressedFiles, type PageFile } from './compressed-files.ts';

/**
 * The files of a page, under names that change with their content: browsers keep them for ever, and fetch them again after an
 * upgrade. Nothing is read before a browser asks.
 */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #hashes = new Map<string, Promise<string>>();
  readonly #compressed = new CompressedFiles();

  constructor(files: readonly PageFile[]) {
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
      return this.#compressed.send(request, reply, file);
    });
  }

  #hash(name: string): Promise<string> {
    const known = this.#hashes.get(name) ?? hashOf(this.#files.get(name));
    this.#hashes.set(name, known);
    return known;
  }
}

async function hashOf(file: PageFile | undefined): Promise<string> {
  return createHash('sha256').update((await file?.read()) ?? '').digest('base64url').slice(0, 16);
}
