import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { checkInput } from '../../input.ts';
import { parseJson } from '../../json.ts';
import type { Job } from '../../jobs/model/job.ts';
import type { Services } from '../../services.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import type { RestDialect } from './rest-dialect.ts';
import type { Holds } from './holds.ts';
import { RefusedError } from './refusal.ts';
import type { Route } from './rest-route.ts';
import type { ShownJobs } from './shown-jobs.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a dialect's route, once its dialect is chosen. */
    call?: Call | null;
  }
}

/** What all calls share. */
interface Shared {
  services: Services;
  holds: Holds;
  shown: ShownJobs;
}

const alreadyCounted = Promise.resolve();

/** One request to a route of a dialect, on its way from the choice of the dialect to the answer. */
export class Call<Query = unknown, Body = unknown> {
  readonly services: Services;
  readonly dialect: RestDialect;
  readonly route: Route;
  readonly request: FastifyRequest;
  readonly #holds: Holds;
  /** Answers to polls that may be given again. */
  readonly shown: ShownJobs;
  /** Settles when the request was counted; rejects where it is one too many (RefusedError, RATE_LIMITED). */
  counted: Promise<void> = alreadyCounted;
  /** The path's parameter, decoded; empty where the path has none. */
  readonly param: string;
  #viewer: Viewer | null = null;
  #query: Query | undefined;
  #body: Body | undefined;

  constructor({ services, holds, shown }: Shared, dialect: RestDialect, route: Route, request: FastifyRequest) {
    this.services = services;
    this.#holds = holds;
    this.shown = shown;
    this.dialect = dialect;
    this.route = route;
    this.request = request;
    this.param = paramOf(request.params);
  }

  /** Of whoever asks, once they are known. */
  get apiKeyId(): string | null {
    return this.#viewer?.apiKeyId ?? null;
  }

  /** Who asks. */
  get viewer(): Viewer {
    if (this.#viewer === null) throw new Error('a call was answered before its key was looked at');
    return this.#viewer;
  }

  set viewer(viewer: Viewer) {
    this.#viewer = viewer;
  }

  /** As the route's schema gives it. */
  get query(): Query {
    // Undefined only where the schema, or its absence, says so.
    return this.#query as Query;
  }

  /** As the route's schema gives it. */
  get body(): Body {
    return this.#body as Body;
  }

  /** Base of the URLs that the client is handed, without a slash at its end: as it reached us, prefix included. */
  get base(): string {
    const { prefix } = this.dialect;
    const base = this.services.publicUrl();
    return this.request.url.startsWith(`${prefix}/`) ? base + prefix : base;
  }

  /** Waits for a newer version, at most so many seconds, and no longer than the client does. */
  holdUntilNewer(job: Pick<Job, 'id' | 'version'>, seconds: number): Promise<void> {
    const { socket } = this.request.raw;
    return this.#holds.untilNewer(job, seconds, (leave) => {
      socket.once('close', leave);
      return () => socket.off('close', leave);
    });
  }

  /** Checks what was sent against the route's schemas. Throws a RefusedError. */
  read(this: Call<Query, Body>, { query, body, emptyBody }: Route<Query, Body>): void {
    if (query !== undefined) {
      const checked = checkInput(query, this.request.query);
      if (!checked.ok) throw new RefusedError({ kind: 'INVALID_QUERY', issues: checked.issues });
      this.#query = checked.value;
    }
    if (body !== undefined) this.#body = parsedBody(this.request, body, emptyBody);
  }
}

/** The body as it was sent, for a refusal that repeats parts of it; undefined where it is no JSON. */
export function sentBody({ body }: Pick<FastifyRequest, 'body'>): unknown {
  if (!(body instanceof Buffer) || body.length === 0) return undefined;
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

function parsedBody<Body>({ body, headers }: FastifyRequest, schema: z.ZodType<Body>, emptyBody: unknown): Body {
  const value = body instanceof Buffer && body.length > 0 ? parsed(body, headers['content-type']) : emptyBody;
  if (value === undefined) throw new RefusedError({ kind: 'UNREADABLE_BODY', why: 'empty' });
  const checked = checkInput(schema, value);
  if (!checked.ok) throw new RefusedError({ kind: 'INVALID_BODY', issues: checked.issues });
  return checked.value;
}

function parsed(body: Buffer, type: string | undefined): unknown {
  if (type === undefined || !/^application\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(type)) {
    throw new RefusedError({ kind: 'UNREADABLE_BODY', why: 'type' });
  }
  try {
    return parseJson(body);
  } catch {
    throw new RefusedError({ kind: 'UNREADABLE_BODY', why: 'syntax' });
  }
}

function paramOf(params: unknown): string {
  if (typeof params !== 'object' || params === null || !('id' in params)) return '';
  return typeof params.id === 'string' ? params.id : '';
}
