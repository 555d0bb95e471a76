import { once } from 'node:events';
import { ReadStream } from 'node:fs';
import { basename, dirname } from 'node:path';

import { send } from '@fastify/send';
import { create as contentDisposition } from 'content-disposition';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

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
  now?: () => Date;
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
  const { find, store, links, now = () => new Date() } = options;
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
  request: FastifyRequest<Download>,
  reply: FastifyReply,
  artifact: DownloadableArtifact,
  path: string,
): Promise<FastifyReply> {
  // Pass a root, because send refuses paths that contain a dot directory and DATA_DIR is `.data`.
  const result = await send(request.raw, basename(path), {
    root: dirname(path),
    cacheControl: false,
    contentType: false,
    index: false,
  });
  const { statusCode, headers, stream } = result;
  if (result.type !== 'file') {
    stream.destroy();
    if (statusCode === 416) reply.header('content-range', headers['Content-Range'] ?? 'bytes */*');
    if (statusCode === 404 || statusCode === 412 || statusCode === 416) return refuse(reply, statusCode);
    throw new Error(`The file of artifact ${artifact.id} cannot be read. Check ARTIFACTS_DIR.`, { cause: result });
  }
  if (stream instanceof ReadStream) {
    try {
      // Retention may remove the file after its stat. Once the file is open, that does no harm.
      await once(stream, 'open');
    } catch {
      return refuse(reply, 404);
    }
  }
  reply.code(statusCode).headers(headers).headers(safetyHeaders).header('cache-control', 'private');
  if (statusCode === 304) return reply.send();
  return reply
    .type(artifact.mediaType)
    .header('content-disposition', contentDisposition(artifact.filename))
    .send(stream);
}

function refuse(reply: FastifyReply, status: keyof typeof refusals): FastifyReply {
  return reply
    .code(status)
    .headers(safetyHeaders)
    .header('cache-control', 'no-store')
    .send({ error: refusals[status] });
}
