import type { FastifyReply } from 'fastify';
import { vary } from '../../web/vary.ts';

/** An answer to a client of a dialect. */
export interface Answer {
  status: number;
  /** JSON text; empty for an answer without a body. */
  body: string;
  headers?: Readonly<Record<string, string>> | undefined;
}

/** An answer whose body is this value as JSON. */
export function answer(status: number, value: unknown, headers?: Readonly<Record<string, string>>): Answer {
  return { status, body: JSON.stringify(value), headers };
}

/** Tells which job an answer is about, whatever the dialect calls it. */
export function jobIdHeader({ id }: { id: string }): Record<string, string> {
  return { 'x-job-id': id };
}

const jsonType = 'application/json; charset=utf-8';

/** Every answer of every dialect leaves here: JSON in UTF-8, which nobody may cache. */
export function send(reply: FastifyReply, { status, body, headers }: Answer): FastifyReply {
  reply.code(status).header('cache-control', 'no-store');
  vary(reply, 'Authorization, X-Api-Key');
  if (headers !== undefined) reply.headers(headers);
  return body === '' ? reply.send() : reply.type(jsonType).send(body);
}
