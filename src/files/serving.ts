import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';

import { create as contentDisposition } from 'content-disposition';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { evaluate, rangeOf } from './conditions.ts';
import type { ArtifactLinks } from './links.ts';
import type { ArtifactStore } from './store.ts';

/** The columns of an artifact that the route needs. */
export interface DownloadableArtifact {
  id: string;
  workspaceId: string;
  filename: string;
  mediaType: string;
  bytes: number;
  expiresAt: Date;
}

export interface ArtifactRouteOptions {
  find(id: string): Promise<DownloadableArtifact | null>;
  store: ArtifactStore;
  links: ArtifactLinks;
  /** The clock by which a file expires. */
  now: () => Date;
}

interface Download {
  Params: { id: string };
  Querystring: { expires?: unknown; signature?: unknown };
}

/** Result files are untrusted content, so browsers must not render, sniff or run them in our origin. */
const safetyHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
};

/** Error bodies by status, `{ error: { code, message } }`. */
const refusals = {
  403: { code: 'FORBIDDEN', message: 'The signature of this URL is not valid. Use the download URL unchanged.' },
  404: { code: 'NOT_FOUND', message: 'This file no longer exists. Run the job again to get a new one.' },
  410: { code: 'EXPIRED', message: 'This file has expired. Run the job again to get a new one.' },
  412: { code: 'PRECONDITION_FAILED', message: 'The file does not match If-Match. Download it again in full.' },
  416: { code: 'RANGE_NOT_SATISFIABLE', message: 'The file ends before this range. Content-Range gives its size.' },
} as const;

/**
 * GET and HEAD `/artifacts/:id`: serves a result file to the holder of its signed URL, with ranges and revalidation.
 * 403 for a wrong signature (checked before any lookup), 404 if the row or file is gone, 410 after `expiresAt`.
 */
export function artifactRoute(app: FastifyInstance, options: ArtifactRouteOptions): void {
  const { find, store, links, now } = options;
  app.route<Download>({
    method: ['GET', 'HEAD'],
    url: '/artifacts/:id',
    async handler(request, reply) {
      const { id } = request.params;
      const { expires, signature } = request.query;
      if (typeof expires !== 'string' || typeof signature !== 'string' || !links.verify(id, expires, signature)) {
        return refuse(reply, 403);
      }
      const artifact = await find(id);
      if (artifact === null) return refuse(reply, 404);
      if (artifact.expiresAt <= now()) return refuse(reply, 410);
      return sendFile(request, reply, artifact, store.path(artifact.workspaceId, artifact.id));
    },
  });
}

async function sendFile(
  { method, headers }: FastifyRequest<Download>,
  reply: FastifyReply,
  artifact: DownloadableArtifact,
  path: string,
): Promise<FastifyReply> {
  const file = await open(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Error(`The file of artifact ${artifact.id} cannot be read. Check ARTIFACTS_DIR.`, { cause: error });
  });
  if (file === null) return refuse(reply, 404);
  // Once it is open, retention may remove it: that does no harm.
  let stream: Readable | null = null;
  try {
    const { size, mtime: modified } = await file.stat();
    // Files never change, so the id names their bytes.
    const validators = { etag: `"${artifact.id}"`, modified, size };
    const verdict = evaluate(headers, validators);
    if (verdict === 'failed') return refuse(reply, 412);
    reply.headers({ etag: validators.etag, 'last-modified': modified.toUTCString(), 'accept-ranges': 'bytes' });
    reply.headers(safetyHeaders).header('cache-control', 'private');
    if (verdict === 'not modified') return reply.code(304).send();
    // Range has no meaning for HEAD: RFC 9110, section 14.2.
    const range = method === 'GET' ? rangeOf(headers, validators) : null;
    if (range === 'unsatisfiable') return refuse(reply.header('content-range', `bytes */${size}`), 416);
    if (range !== null) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`);
    reply.type(artifact.mediaType).header('content-disposition', contentDisposition(artifact.filename));
    reply.header('content-length', range === null ? size : range.end - range.start + 1);
    if (method === 'HEAD') return reply.send();
    stream = file.createReadStream(range ?? {});
    return reply.send(stream);
  } finally {
    // A stream closes it at its end.
    if (stream === null) await file.close();
  }
}

function refuse(reply: FastifyReply, status: keyof typeof refusals): FastifyReply {
  return reply
    .code(status)
    .headers(safetyHeaders)
    .header('cache-control', 'no-store')
    .send({ error: refusals[status] });
}
