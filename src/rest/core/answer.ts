import type { FastifyReply } from 'fastify';

/** What goes back to a client of a dialect. */
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

/** What every answer of every dialect carries: DIALECTS.md, section 0. */
export const commonHeaders = { 'cache-control': 'no-store' } as const;

export const jsonType = 'application/json; charset=utf-8';

/** The one way out: JSON in UTF-8, kept by nobody. */
export function send(reply: FastifyReply, { status, body, headers }: Answer): FastifyReply {
  reply.code(status).headers(commonHeaders);
  if (headers !== undefined) reply.headers(headers);
  return body === '' ? reply.send() : reply.type(jsonType).send(body);
}
