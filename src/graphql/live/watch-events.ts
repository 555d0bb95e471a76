import type { FastifyReply, FastifyRequest } from 'fastify';
import { waitWanted } from '../../web/prefer.ts';
import { whenClosed } from './when-closed.ts';
import type { Operation } from '../operation.ts';
import { isUnavailable } from '../public-error.ts';
import { EventStream, type OpenStreams, toEvent } from './event-stream.ts';
import type { Live } from './live.ts';
import type { LivePlan } from './plan.ts';

/** Answers a subscription with server-sent events. It shares its execution with subscriptions on sockets. Never rejects. */
export async function watchEvents(
  live: Live,
  streams: OpenStreams,
  request: FastifyRequest,
  reply: FastifyReply,
  { operation, plan }: { operation: Operation; plan: LivePlan },
): Promise<void> {
  const { raw: response } = reply;
  const wait = waitWanted(request.headers['prefer']);
  if (wait !== null) reply.header('preference-applied', `wait=${wait}`);
  const stream = new EventStream(reply, live.stalled, wait);
  streams.add(response, 'events');
  const watch = await live.watch({ operation, plan, lastEventId: lastEventIdOf(request) }, stream, {
    next: toEvent,
    end: () => stream.end(),
  });
  if (!('refused' in watch)) whenClosed(response, watch.leave);
  // A temporary failure must not look like the end of the subscription.
  else if (watch.refused.some(isUnavailable)) stream.giveUp();
  else stream.answer({ errors: watch.refused });
}

/** Sent by clients that reconnect (HTML standard, "Server-sent events"). */
function lastEventIdOf({ headers }: FastifyRequest): string | null {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}
