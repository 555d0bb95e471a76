import type { FastifyRequest } from 'fastify';
import { checkInput } from '../../input.ts';
import type { Job } from '../../jobs/model/job.ts';
import type { Services } from '../../services.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import type { Answer } from './answer.ts';
import type { DialectProfile } from './dialect-profile.ts';
import type { Endpoint } from './rest-endpoint.ts';
import type { Holds } from './holds.ts';
import { RefusedError } from './refusal.ts';
import { checkedBody } from './request-body.ts';
import type { ShownJobs } from './shown-jobs.ts';

/** An endpoint and what answers it. */
export interface Route<Query = unknown, Body = unknown> extends Endpoint<Query, Body> {
  /** `handle` works while the request is being counted, and awaits `call.counted` before it answers or holds. */
  countedMeanwhile?: true;
  /** May throw a RefusedError and every LonghaulError. */
  handle(call: Call<Query, Body>): Promise<Answer> | Answer;
}

/** A route, its types inferred from its schemas. */
export function route<Query, Body>(it: Route<Query, Body>): Route {
  return it;
}

/** What all calls share. */
export interface CallParts {
  services: Services;
  holds: Holds;
  shown: ShownJobs;
}

const alreadyCounted = Promise.resolve();

/** What a part of the path becomes that is not UTF-8. */
const unreadable = '\uFFFD';

/** One request to a route of a dialect, from the choice of the dialect to the answer. */
export class Call<Query = unknown, Body = unknown> {
  readonly services: Services;
  readonly dialect: DialectProfile;
  readonly route: Route<Query, Body>;
  readonly request: FastifyRequest;
  readonly #holds: Holds;
  /** Rendered jobs that may be shown again. */
  readonly shown: ShownJobs;
  /** Resolves once the request has been counted; rejects if it is one too many (RefusedError, RATE_LIMITED). */
  counted: Promise<void> = alreadyCounted;
  /** The path's parameter, decoded; empty if the path has none. */
  readonly param: string;
  #viewer: Viewer | null = null;
  #query: Query | undefined;
  #body: { value: Body } | null = null;

  constructor(
    { services, holds, shown }: CallParts,
    dialect: DialectProfile,
    chosen: Route<Query, Body>,
    request: FastifyRequest,
  ) {
    this.services = services;
    this.#holds = holds;
    this.shown = shown;
    this.dialect = dialect;
    this.route = chosen;
    this.request = request;
    this.param = paramOf(request.params);
  }

  /** The caller. */
  get viewer(): Viewer {
    if (this.#viewer === null) throw new Error('a call was answered before its key was looked up');
    return this.#viewer;
  }

  set viewer(viewer: Viewer) {
    this.#viewer = viewer;
  }

  /** As the route's schema gives it. */
  get query(): Query {
    // Undefined only if the schema, or its absence, says so.
    return this.#query as Query;
  }

  /** As the route's schema gives it. Checked when it is first read, so that a handler can answer before. Throws a RefusedError. */
  get body(): Body {
    const { body, emptyBody } = this.route;
    if (body === undefined) throw new Error(`${this.route.path} has no schema of its body`);
    this.#body ??= { value: checkedBody(this.request, body, emptyBody) };
    return this.#body.value;
  }

  /** Base of the URLs in the answer, without a slash at its end; with the prefix if the request came with one. */
  get base(): string {
    const { prefix } = this.dialect;
    const base = this.services.publicUrl();
    return this.request.url.startsWith(`${prefix}/`) ? base + prefix : base;
  }

  /** Waits for a newer version that is news, for at most so many seconds and no longer than the client stays. */
  holdUntilNews(job: Pick<Job, 'id' | 'version'>, seconds: number, isNews: (job: Job) => boolean): Promise<void> {
    const { socket } = this.request.raw;
    return this.#holds.untilNews(job, seconds, isNews, (leave) => {
      socket.once('close', leave);
      return () => socket.off('close', leave);
    });
  }

  /** Checks the path and the query, then has the route answer. Throws what it throws, and a RefusedError. */
  answer(): Promise<Answer> | Answer {
    const { query } = this.route;
    if (this.param.includes(unreadable)) throw new RefusedError({ kind: 'NOT_FOUND', what: 'job' });
    if (query !== undefined) {
      const checked = checkInput(query, this.request.query);
      if (!checked.ok) throw new RefusedError({ kind: 'INVALID_QUERY', issues: checked.issues });
      this.#query = checked.value;
    }
    return this.route.handle(this);
  }
}

function paramOf(params: unknown): string {
  if (typeof params !== 'object' || params === null || !('id' in params)) return '';
  return typeof params.id === 'string' ? params.id : '';
}
