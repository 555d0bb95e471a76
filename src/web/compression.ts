import { Transform } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliDecompress, createGunzip, createInflate, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { BodyTooLargeError, bodyEncodings, LonghaulError, UnsupportedEncodingError } from '../errors.ts';
import { vary } from './vary.ts';

/** Answers of fewer bytes are sent as they are. */
const worthwhileBytes = 1_024;

const compressible = /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|javascript)|image\/svg)/i;

const inBrotli = promisify(brotliCompress);
const inGzip = promisify(gzip);

const expanders = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

/** Bodies of requests may come compressed; answers are compressed for clients that take it. Streams stay as they are. */
export function compression(app: FastifyInstance): void {
  app.addHook('preParsing', (request, reply, payload, done) => {
    const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
    if (coding === 'identity' || coding === '') return done(null, payload);
    if (!isKnown(coding)) {
      reply.header('accept-encoding', bodyEncodings);
      return done(new UnsupportedEncodingError());
    }
    const expanded = expanders[coding]();
    // Counted here, because what is expanded beyond the limit is not read by anybody, and the rest must not be expanded.
    const bounded = new Bounded(request.routeOptions.bodyLimit);
    bounded.once('close', () => {
      payload.unpipe(expanded);
      expanded.destroy();
    });
    payload.on('data', (chunk: Buffer) => void (bounded.receivedEncodedLength += chunk.length));
    payload.once('error', (error) => bounded.destroy(error));
    expanded.once('error', () => bounded.destroy(new LonghaulError('BAD_USER_INPUT', `The body is not ${coding}, as Content-Encoding says.`)));
    payload.pipe(expanded).pipe(bounded);
    done(null, bounded);
  });

  app.addHook('onSend', async (request, reply, payload) => {
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload;
    if (Buffer.byteLength(payload) < worthwhileBytes || !compressible.test(String(reply.getHeader('content-type')))) return payload;
    if (reply.hasHeader('content-encoding')) return payload;
    vary(reply, 'Accept-Encoding');
    const coding = codingFor(request, ['gzip', 'br']);
    if (coding === 'identity') return payload;
    reply.header('content-encoding', coding).removeHeader('content-length');
    weaken(reply);
    return coding === 'br' ? inBrotli(payload, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }) : inGzip(payload, { level: 4 });
  });
}

/** The first of these codings that the client takes. */
export function codingFor<Coding extends string>({ headers }: FastifyRequest, codings: readonly Coding[]): Coding | 'identity' {
  const { 'accept-encoding': accepted } = headers;
  if (accepted === undefined) return 'identity';
  const taken = new Negotiator({ headers: { 'accept-encoding': accepted } }).encodings([...codings]);
  return codings.find((coding) => taken.includes(coding)) ?? 'identity';
}

/** A strong tag names bytes, and these are others now: RFC 9110, section 8.8.3.3. */
function weaken(reply: FastifyReply): void {
  const tag = reply.getHeader('etag');
  if (typeof tag === 'string' && !tag.startsWith('W/')) reply.header('etag', `W/${tag}`);
}

class Bounded extends Transform {
  /** For Fastify, which compares it with Content-Length. */
  receivedEncodedLength = 0;
  readonly #limit: number;
  #received = 0;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: Error | null, chunk?: Buffer) => void): void {
    this.#received += chunk.length;
    if (this.#received > this.#limit) done(new BodyTooLargeError(this.#limit));
    else done(null, chunk);
  }
}

function isKnown(coding: string): coding is keyof typeof expanders {
  return Object.hasOwn(expanders, coding);
}
