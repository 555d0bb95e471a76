import type { FastifyReply } from 'fastify';

/** Notes that the answer depends on this header of the request. */
export function vary(reply: FastifyReply, field: string): void {
  const known = reply.getHeader('vary');
  reply.header('vary', known === undefined ? field : `${String(known)}, ${field}`);
}
