import type { z } from 'zod';
import type { Scope } from '../../workspaces/scope.ts';

/** What one method on one path of a vendor takes and gives. Its schemas are also what schema/openapi.json says. */
export interface Endpoint<Query = unknown, Body = unknown> {
  kind: 'status' | 'list' | 'submit' | 'cancel' | 'other';
  method: 'GET' | 'POST' | 'DELETE';
  /** As the vendor writes it, with at most one parameter: `/v1/jobs/{job_id}`. */
  path: string;
  /** A sentence for a person. */
  summary: string;
  /** The scope that a key needs. */
  scope: Scope;
  /** Checked before `handle`; issues are refused as INVALID_QUERY. Without it the query is ignored. */
  query?: z.ZodType<Query>;
  /** As `query`, for the JSON body: INVALID_BODY, UNREADABLE_BODY. Without it the body is ignored. */
  body?: z.ZodType<Body>;
  /** Stands for an absent body. Without it an absent body is refused as UNREADABLE_BODY, `empty`. */
  emptyBody?: unknown;
  /** The answers that are not refusals, by status; `schema` is null for one without a body. */
  answers: Readonly<Record<number, { description: string; schema: z.ZodType | null }>>;
}

/** The name of the path's parameter, as the vendor writes it; null if it has none. */
export function parameterOf(path: string): string | null {
  return /\{(\w+)\}/.exec(path)?.[1] ?? null;
}

/** The path as Fastify writes it. Dialects that share a path may name its parameter differently; the router may not. */
export function routerPath(path: string): string {
  return path.replace(/\{\w+\}/, ':id');
}
