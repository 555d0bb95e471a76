import type { FastifyReply, FastifyRequest } from 'fastify';
import type { validate } from 'graphql';
import { whenClosed } from '../../http/when-closed.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import type { GraphQLContext } from '../context.ts';
import { isTooLong } from '../limits.ts';
import { type Params, parseParams, parseQueryParams, valueOf } from '../params.ts';
import type { Yoga } from '../yoga.ts';
import { EventStream, type OpenStreams, toEvent } from './event-stream.ts';
import { isUnavailable } from './execution.ts';
import type { Live } from './live.ts';
import type { LivePlan } from './plan.ts';

/**
 * Answers subscriptions over server-sent events, so that they share their execution with those on sockets. Everything
 * else is left to Yoga: other operations, and all that cannot be carried out.
 */
export class EventRoute {
  readonly #live: Live;
  readonly #yoga: Yoga;
  readonly #streams: OpenStreams;

  constructor(live: Live, yoga: Yoga, streams: OpenStreams) {
    this.#live = live;
    this.#yoga = yoga;
    this.#streams = streams;
  }

  /** False where nothing was done, so that the request can be handed over whole. */
  async answer(
    request: FastifyRequest,
    reply: FastifyReply,
    context: GraphQLContext & { viewer: Viewer },
  ): Promise<boolean> {
    if (!takesEvents(request.headers.accept)) return false;
    const params = paramsOf(request);
    const plan = params === null ? null : this.#plan(params, context);
    if (params === null || plan === null) return false;

    reply.hijack();
    // It may have been closed while the key was looked up.
    if (reply.raw.closed) return true;
    const stream = new EventStream(reply.raw, this.#live.stalled);
    this.#streams.add(reply.raw, 'events');
    const watching = {
      plan,
      variables: params.variables ?? {},
      viewer: context.viewer,
      lastEventId: lastEventIdOf(request),
    };
    const watch = await this.#live.watch(watching, stream, {
      next: toEvent,
      end: () => stream.end(),
    });
    if ('refused' in watch) {
      // What is only away for a while must not look like the end.
      if (watch.refused.some(isUnavailable)) stream.giveUp();
      else stream.refuse({ errors: watch.refused });
    } else whenClosed(reply.raw, watch.leave);
    return true;
  }

  #plan(params: Params, context: GraphQLContext): LivePlan | null {
    const { query, operationName } = params;
    if (isTooLong(query)) return null;
    const known = this.#live.plans.known(query, operationName);
    if (known !== undefined) return known;
    const envelope = this.#yoga.getEnveloped({ ...context, params });
    const document = valueOf(() => envelope.parse(query));
    if (document === null) return null;
    const errors: ReturnType<typeof validate> | null = valueOf(() => envelope.validate(envelope.schema, document));
    return errors?.length === 0 ? this.#live.plans.make(query, operationName, document) : null;
  }
}

/** Media types in any case, and ranges of them: RFC 9110, section 12.5.1. Whatever else is in the header, Yoga weighs. */
function takesEvents(accept: string | undefined): boolean {
  return accept === undefined || /text\/event-stream|text\/\*|\*\/\*/i.test(accept);
}

function paramsOf({ method, body, url }: FastifyRequest): Params | null {
  if (method === 'GET') return parseQueryParams(url);
  return method === 'POST' && body instanceof Buffer ? parseParams(body) : null;
}

/** HTML, "server-sent events": sent by whoever connects again. */
function lastEventIdOf({ headers }: FastifyRequest): string | null {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}
