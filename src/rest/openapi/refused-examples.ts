import { checkInput } from '../../input.ts';
import { type JsonObject, isJsonObject } from '../../json.ts';
import type { RefusedRequest } from '../core/dialect-profile.ts';
import type { RestDialect } from '../core/rest-dialect.ts';
import type { KeyFault, Refusal } from '../core/refusal.ts';
import { refusalAnswer } from '../core/refusal-answer.ts';
import type { Route } from '../core/call.ts';
import { parameterOf } from '../core/rest-endpoint.ts';
import { jsonSchemaOf } from './json-schemas.ts';
import { sampleBody, sampleJob, steadied, wrongBodies } from './samples.ts';

/** One refusal of a route, rendered by the dialect's own `refuse`. */
export interface RefusedExample {
  /** Of the reason, not of the example: several may show the same. */
  name: string;
  status: number;
  headers: readonly string[];
  /** Whether it counts against the key's requests a minute. */
  counted: boolean;
  body: JsonObject;
}

interface Sample {
  refusal: Refusal;
  /** What was sent; what the route takes where not given. */
  body?: unknown;
  why?: string;
}

/** Every refusal that the route can answer with, the most general first. */
export function refusedExamples(dialect: RestDialect, route: Route): RefusedExample[] {
  const samples = [...keySamples(dialect), ...inputSamples(route), ...jobSamples(route), ...serverSamples()];
  return samples.map(({ refusal, body = sampleBody(route), why }) => {
    const { status, headers = {}, body: text } = refusalAnswer(dialect, refusal, requestOf(dialect, route, refusal, body));
    const name = [refusal.kind, why].filter((part) => part !== undefined).join('_').toLowerCase();
    // A key may fall while its answer is held, after the request was counted.
    const counted = refusal.kind === 'UNAUTHENTICATED' ? route.kind === 'status' : refusal.kind !== 'FORBIDDEN';
    return { name, status, headers: Object.keys(headers), counted, body: steadied(text) };
  });
}

function requestOf(dialect: RestDialect, route: Route, refusal: Refusal, body: unknown): RefusedRequest {
  const keyless = refusal.kind === 'UNAUTHENTICATED' && refusal.why === 'missing';
  const header = dialect.credential === 'bearer' ? { authorization: 'Bearer KEY' } : { 'x-api-key': 'KEY' };
  return {
    headers: keyless ? {} : header,
    body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
    call: { route },
  };
}

function keySamples({ keyPrefixes }: RestDialect): Sample[] {
  const malformed: KeyFault[] = keyPrefixes.length === 0 ? [] : ['malformed'];
  const faults: KeyFault[] = ['missing', ...malformed, 'unknown', 'revoked', 'expired'];
  return [
    ...faults.map((why) => ({ refusal: { kind: 'UNAUTHENTICATED', why }, why }) satisfies Sample),
    { refusal: { kind: 'FORBIDDEN', message: 'The API key lacks the scope WRITE' } },
    { refusal: { kind: 'RATE_LIMITED', retryAfter: 12, limit: 6_000, used: 6_000 } },
  ];
}

function inputSamples(route: Route): Sample[] {
  const samples: Sample[] = [];
  const { query, body, emptyBody, method } = route;
  if (query !== undefined) {
    const { properties } = jsonSchemaOf(query, 'output');
    for (const name of Object.keys(properties ?? {})) {
      const checked = checkInput(query, { [name]: '?' });
      if (!checked.ok) samples.push({ refusal: { kind: 'INVALID_QUERY', issues: checked.issues } });
    }
  }
  if (body !== undefined) {
    if (emptyBody === undefined) samples.push({ refusal: { kind: 'UNREADABLE_BODY', why: 'empty' }, why: 'empty' });
    samples.push({ refusal: { kind: 'UNREADABLE_BODY', why: 'type' }, why: 'type' });
    for (const wrong of wrongBodies(route)) {
      const checked = checkInput(body, wrong);
      if (!checked.ok) samples.push({ refusal: { kind: 'INVALID_BODY', issues: checked.issues }, body: wrong });
    }
  }
  if (method !== 'GET') {
    // Also of a body that the route does not look at, and that breaks off.
    samples.push({ refusal: { kind: 'UNREADABLE_BODY', why: 'syntax' }, why: 'syntax' });
    samples.push({ refusal: { kind: 'UNREADABLE_BODY', why: 'encoding' }, why: 'encoding' });
    samples.push({ refusal: { kind: 'BODY_TOO_LARGE' } });
  }
  return samples;
}

function jobSamples(route: Route): Sample[] {
  const { kind, path, body } = route;
  const samples: Sample[] = [];
  // A parameter that cannot be decoded names no job either.
  if (kind === 'status' || parameterOf(path) !== null) samples.push({ refusal: { kind: 'NOT_FOUND', what: 'job' } });
  if (kind === 'cancel') samples.push({ refusal: { kind: 'ALREADY_FINISHED', job: sampleJob } });
  if (kind === 'submit') {
    samples.push({ refusal: { kind: 'INVALID_HEADER', issues: [{ path: ['Idempotency-Key'], message: 'expected at least 1 character, got 0' }] } });
    samples.push({ refusal: { kind: 'IDEMPOTENCY_CONFLICT' } });
    samples.push({ refusal: { kind: 'INSUFFICIENT_CREDITS', required: 150, available: 20 } });
    samples.push({ refusal: { kind: 'QUEUE_FULL', limit: 100_000 } });
    // RevidAPI repeats a reference of the submitter's.
    const { properties } = body === undefined ? {} : jsonSchemaOf(body, 'input');
    if (isJsonObject(properties) && Object.hasOwn(properties, 'id')) {
      const referring = { ...sampleBody(route), id: 'mine' };
      samples.push({ refusal: { kind: 'IDEMPOTENCY_CONFLICT' }, body: referring, why: 'with_id' });
      samples.push({ refusal: { kind: 'QUEUE_FULL', limit: 100_000 }, body: referring, why: 'with_id' });
    }
  }
  return samples;
}

function serverSamples(): Sample[] {
  return [{ refusal: { kind: 'INTERNAL' } }, { refusal: { kind: 'UNAVAILABLE' } }];
}
