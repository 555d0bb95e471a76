import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { validate as isUuid } from 'uuid';
import { unavailableRetrySeconds } from '../../errors.ts';
import { globalPrefix } from './reference.ts';
import { pieceOf, protocol, tusHeaders } from './tus.ts';
import { goneErrors, TransferError } from './transfer-errors.ts';
import { isComplete, type Upload } from './upload.ts';
import type { Uploads } from './uploads.ts';

interface Transfer {
  Params: { id: string };
  Querystring: { signature?: unknown };
}

type Answering = (request: FastifyRequest<Transfer>, reply: FastifyReply) => Promise<FastifyReply>;

/** On every answer. */
const always = { 'tus-resumable': protocol.version, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** Bodies are as large as files, and take as long. */
const routeOptions = { bodyLimit: Number.MAX_SAFE_INTEGER, config: { longBodies: true } } as const;

/**
 * `/uploads/:id`, where a file is sent to by whoever has its signed URL: tus 1.0 (https://tus.io/protocols/resumable-upload, with
 * checksum, creation-defer-length, expiration and termination; creation is the mutation createUpload), or one PUT. README and
 * PROTOCOL.md list the answers. A wrong signature is refused before any look-up.
 */
export function uploadRoutes(app: FastifyInstance, uploads: Uploads): void {
  const methods: Record<string, Answering> = {
    HEAD: async (request, reply) => describe(reply.code(200), await uploads.look(request.params.id)).send(),
    PATCH: async (request, reply) => describe(reply.code(204), await uploads.receive(request.params.id, pieceOf(request))).send(),
    DELETE: async (request, reply) => {
      await uploads.terminate(request.params.id);
      return reply.code(204).send();
    },
    PUT: async (request, reply) => {
      const upload = await uploads.receive(request.params.id, pieceOf(request));
      return describe(reply.code(200), upload).send({ upload: shown(upload) });
    },
  };
  const answer = (method: string): Answering => async (request, reply) => {
    reply.headers(always);
    try {
      const { params, query } = request;
      if (typeof query.signature !== 'string' || !uploads.links.verify(params.id, query.signature)) {
        throw new TransferError('FORBIDDEN', 'The signature of this URL is not valid. Use uploadUrl unchanged.');
      }
      if (!isUuid(params.id)) throw goneErrors.NOT_FOUND();
      // A PUT need not speak tus.
      if (method !== 'PUT' && request.headers['tus-resumable'] !== protocol.version) {
        reply.header('tus-version', protocol.version);
        throw new TransferError('PRECONDITION_FAILED', `Send the header Tus-Resumable: ${protocol.version}, or all of the file with PUT.`);
      }
      const answering = methods[method];
      if (answering === undefined) throw new TransferError('BAD_USER_INPUT', 'X-HTTP-Method-Override has to be PATCH, DELETE or HEAD.');
      return await answering(request, reply);
    } catch (error) {
      return refuse(request, reply, error);
    } finally {
      // What was not read is dropped, so that the answer is.
      if (!request.raw.complete) request.raw.resume();
    }
  };
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    for (const method of ['HEAD', 'PATCH', 'DELETE', 'PUT'] as const) {
      scope.route<Transfer>({ ...routeOptions, method, url: '/uploads/:id', onRequest: refuseEncoded, handler: answer(method) });
    }
    // For clients whose network lets no PATCH through.
    scope.route<Transfer>({
      ...routeOptions,
      method: 'POST',
      url: '/uploads/:id',
      onRequest: refuseEncoded,
      handler: (request, reply) => answer(overridden(request))(request, reply),
    });
    scope.options('/uploads/:id', (_request, reply) => reply.code(204).headers(tusHeaders(uploads.maxBytes)).send());
  });
}

/** The method that a POST stands for; that of no answer where it may not. A PUT needs no stand-in: networks let it through. */
function overridden({ headers }: FastifyRequest): string {
  const method = String(headers['x-http-method-override']).toUpperCase();
  return method === 'PUT' ? 'POST' : method;
}

/** The coding would be undone before it is stored, and offsets count what is stored. */
async function refuseEncoded({ headers }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding === 'identity' || coding === '') return undefined;
  return send(reply, new TransferError('UNSUPPORTED_MEDIA_TYPE', 'Send the file as it is, without Content-Encoding.'));
}

function describe(reply: FastifyReply, upload: Upload): FastifyReply {
  const { announcedBytes, receivedBytes, expiresAt } = upload;
  return reply.headers({
    'upload-offset': receivedBytes,
    ...(announcedBytes === null ? { 'upload-defer-length': '1' } : { 'upload-length': announcedBytes }),
    'upload-expires': expiresAt.toUTCString(),
  });
}

function shown(upload: Upload): object {
  const { id, filename, mediaType, receivedBytes, sha256, expiresAt } = upload;
  return { id: globalPrefix + id, filename, mediaType, bytes: receivedBytes, sha256, complete: isComplete(upload), expiresAt };
}

/** Errors that are not the sender's go on to the server's own answer. */
function refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  if (error instanceof TransferError) return send(reply, error);
  if (hasBrokenOff(request.raw)) return send(reply, new TransferError('BAD_USER_INPUT', 'The connection broke off.'));
  throw error;
}

function send(reply: FastifyReply, error: TransferError): FastifyReply {
  const { code, message, status, offset } = error;
  reply.headers(always);
  if (offset !== null) reply.header('upload-offset', offset);
  if (code === 'UNAVAILABLE') reply.header('retry-after', unavailableRetrySeconds);
  return reply.code(status).send({ error: { code, message } });
}

function hasBrokenOff({ complete, destroyed, errored }: IncomingMessage): boolean {
  return !complete && (destroyed || errored !== null);
}
