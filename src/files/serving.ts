import type { Readable } from 'node:stream';

import { create as contentDisposition } from 'content-disposition';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { evaluate, rangeOf } from './conditions.ts';
import type { Downloadable } from './downloadable.ts';
import { shownType } from './inline.ts';
import type { ArtifactLinks } from './links.ts';
import { normalType, unknownMediaType } from './media-type.ts';
import type { OpenFile, Presentation, Store } from './stores/store.ts';

interface ArtifactRouteOptions {
  find(id: string): Promise<Downloadable | null>;
  store: Store;
  links: ArtifactLinks;
  /** The clock by which files and links expire. */
  now: () => Date;
}

interface Download {
  Params: { id: string };
  /** `inline`, with any value or none, is not signed: it opens nothing. */
  Querystring: { expires?: unknown; signature?: unknown; inline?: unknown };
}

/**
 * Files are untrusted content, so browsers must not render, sniff or run them in our origin. Pages of any origin may embed them:
 * whoever has the link needs no cookie of ours.
 */
const safetyHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'cross-origin',
};

/**
 * For a file that is opened in a tab. The page that a browser makes for it loads it once more, from `self`, which takes an origin;
 * it runs no script.
 */
const inlinePolicy = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin";

/** Error bodies by status, `{ error: { code, message } }`. */
const refusals = {
  403: { code: 'FORBIDDEN', message: 'The signature of this URL is not valid. Use the download URL unchanged.' },
  404: { code: 'NOT_FOUND', message: 'This file no longer exists. Run the job again to get a new one.' },
  410: { code: 'EXPIRED', message: 'This file or its link has expired. Read the job again for a new link, or run it again for a new file.' },
  412: { code: 'PRECONDITION_FAILED', message: 'The file does not match If-Match. Download it again in full.' },
  416: { code: 'RANGE_NOT_SATISFIABLE', message: 'The file ends before this range. Content-Range gives its size.' },
} as const;

/**
 * GET and HEAD `/artifacts/:id`: serves a result file, or an upload to the worker of its job, to the holder of its signed URL, with
 * ranges and revalidation; where the store gives files out itself, a GET is redirected there. It is to be saved, or with `inline`
 * in the query to be shown, if its type is harmless. 403 for a wrong signature (checked before any lookup), 410 after the
 * expiry of the URL or of the file, 404 if the file is gone, 503 while the store does not answer.
 */
export function artifactRoute(app: FastifyInstance, options: ArtifactRouteOptions): void {
  const { find, store, links, now } = options;
  app.route<Download>({
    method: ['GET', 'HEAD'],
    url: '/artifacts/:id',
    async handler(request, reply) {
      const { id } = request.params;
      const { expires, signature, inline } = request.query;
      if (typeof expires !== 'string' || typeof signature !== 'string' || !links.verify(id, expires, signature)) {
        return refuse(reply, 403);
      }
      const found = await find(id);
      if (found === null) return refuse(reply, 404);
      const milliseconds = Math.min(Number(expires) * 1_000, found.expiresAt?.getTime() ?? Infinity) - now().getTime();
      if (milliseconds <= 0) return refuse(reply, 410);
      const shown = presentationOf(found, inline !== undefined);
      const elsewhere = request.method === 'GET' ? await store.redirect(found, shown, Math.ceil(milliseconds / 1_000)) : null;
      if (elsewhere !== null) return reply.headers(safetyHeaders).header('cache-control', 'no-store').redirect(elsewhere);
      const file = await store.open(found);
      return file === null ? refuse(reply, 404) : sendFile(request, reply, { id, file, ...shown });
    },
  });
}

/** How a browser is to take a file. */
interface Shown extends Presentation {
  policy: string;
}

function presentationOf({ filename, mediaType }: Downloadable, inlineAsked: boolean): Shown {
  const shown = inlineAsked ? shownType(mediaType) : null;
  return {
    // What was stored before types were checked may be none.
    mediaType: shown ?? normalType(mediaType) ?? unknownMediaType,
    disposition: contentDisposition(filename, { type: shown === null ? 'attachment' : 'inline' }),
    policy: shown === null ? safetyHeaders['content-security-policy'] : inlinePolicy,
  };
}

async function sendFile(
  { method, headers }: FastifyRequest<Download>,
  reply: FastifyReply,
  { id, file, mediaType, disposition, policy }: Shown & { id: string; file: OpenFile },
): Promise<FastifyReply> {
  let stream: Readable | null = null;
  try {
    const { bytes: size, modified } = file;
    // Files never change, so the id names their bytes.
    const validators = { etag: `"${id}"`, modified, size };
    const verdict = evaluate(headers, validators);
    if (verdict === 'failed') return refuse(reply, 412);
    reply.headers({ etag: validators.etag, 'last-modified': modified.toUTCString(), 'accept-ranges': 'bytes' });
    reply.headers({ ...safetyHeaders, 'content-security-policy': policy, 'cache-control': 'private' });
    if (verdict === 'not modified') return reply.code(304).send();
    // Range has no meaning for HEAD: RFC 9110, section 14.2.
    const range = method === 'GET' ? rangeOf(headers, validators) : null;
    if (range === 'unsatisfiable') return refuse(reply.header('content-range', `bytes */${size}`), 416);
    if (range !== null) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`);
    reply.type(mediaType).header('content-disposition', disposition);
    reply.header('content-length', range === null ? size : range.end - range.start + 1);
    if (method === 'HEAD') return reply.send();
    stream = file.read(range ?? undefined);
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
