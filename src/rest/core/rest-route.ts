import type { z } from 'zod';
import type { Scope } from '../../workspaces/scope.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';

/** One method on one path of a vendor. What is said here in schemas is also what schema/openapi.json says. */
export interface Route<Query = unknown, Body = unknown> {
  kind: 'status' | 'list' | 'submit' | 'cancel' | 'other';
  method: 'GET' | 'POST' | 'DELETE';
  /** As the vendor writes it, with at most one parameter: `/v1/jobs/{job_id}`. */
  path: string;
  /** A sentence for a person. */
  summary: string;
  /** What a key must be allowed for it. */
  scope: Scope;
  /** Checked before `handle`; issues are refused as INVALID_QUERY. Without it the query is not looked at. */
  query?: z.ZodType<Query>;
  /** As `query`, of the JSON body: INVALID_BODY, UNREADABLE_BODY. Without it the body is not looked at. */
  body?: z.ZodType<Body>;
  /** What stands for an absent body; where left out, its absence is refused as UNREADABLE_BODY, `empty`. */
  emptyBody?: unknown;
  /** Answers that are no refusals, by status; `schema` is null for one without a body. */
  answers: Readonly<Record<number, { description: string; schema: z.ZodType | null }>>;
  /** `handle` works while the request is being counted, and waits for `call.counted` before it answers or is held. */
  countedMeanwhile?: true;
  /** May throw a RefusedError and every LonghaulError. */
  handle(call: Call<Query, Body>): Promise<Answer> | Answer;
}

/** A route, its types inferred from its schemas. */
export function route<Query, Body>(it: Route<Query, Body>): Route {
  return it;
}

/** The name of the path's parameter, as the vendor writes it; null where it has none. */
export function parameterOf(path: string): string | null {
  return /\{(\w+)\}/.exec(path)?.[1] ?? null;
}

/** The path as Fastify writes it. Dialects that share a path name its parameter differently, the router does not. */
export function routerPath(path: string): string {
  return path.replace(/\{\w+\}/, ':id');
}
