import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CompressedFiles, isKnown } from '../web/compressed-files.ts';
import { sendPage } from '../web/page.ts';

const notBuilt = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Longhaul</title><link rel="icon" href="data:,"></head>
  <body>
    <p>Longhaul is running, but its page is not built: run <code>npm run build</code> in its folder. The API is at <a href="graphql">/graphql</a>.</p>
  </body>
</html>
`;

/** Vite's names: flat, with a hash of the content in them. */
const assetName = /^[\w-][\w.-]*\.(\w+)$/;

/** The page of people at `/`, as it was built into a folder, with its files in `/assets`. It works below any path of a proxy: all its addresses are relative. */
export class Dashboard {
  readonly #folder: string;
  readonly #policy: string;
  readonly #files = new CompressedFiles();

  /**
   * @param folder with index.html and assets; read when somebody asks, so that it may be built meanwhile
   * @param downloads the origin of a bucket that downloads are redirected to; null: none
   */
  constructor(folder: string, downloads: string | null) {
    this.#folder = folder;
    this.#policy = policyWith(downloads);
  }

  mountAssets(app: FastifyInstance): void {
    app.get<{ Params: { name: string } }>('/assets/:name', async (request, reply) => (await this.#sendAsset(request, reply, request.params.name)) ?? reply.callNotFound());
  }

  async send(reply: FastifyReply): Promise<FastifyReply> {
    return sendPage(reply, (await ifThere(readFile(join(this.#folder, 'index.html'), 'utf8'))) ?? notBuilt, this.#policy);
  }

  async #sendAsset(request: FastifyRequest, reply: FastifyReply, name: string): Promise<FastifyReply | null> {
    const [, ending = ''] = assetName.exec(name) ?? [];
    if (!isKnown(ending)) return null;
    return ifThere(this.#files.send(request, reply, { name, read: () => readFile(join(this.#folder, 'assets', name)) }));
  }
}

function policyWith(downloads: string | null): string {
  const own = ["'self'", ...(downloads === null ? [] : [downloads])].join(' ');
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${own} data: blob:`,
    `media-src ${own} blob:`,
    `connect-src ${own}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/** Null where there is no such file. */
async function ifThere<Value>(reading: Promise<Value>): Promise<Value | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
