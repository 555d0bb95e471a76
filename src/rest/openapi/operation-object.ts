import { STATUS_CODES } from 'node:http';
import { type JsonObject, isJsonObject } from '../../json.ts';
import type { RestDialect } from '../core/rest-dialect.ts';
import type { Route } from '../core/call.ts';
import { parameterOf } from '../core/rest-endpoint.ts';
import { type RefusedExample, refusedExamples } from './refused-examples.ts';
import { sampleBody } from './samples.ts';
import { jsonSchemaOf } from './json-schemas.ts';
import { shapeOf } from './shape.ts';

/** What a route takes and gives, as an Operation Object of OpenAPI 3.1. */
export function operationOf(
  dialect: RestDialect,
  route: Route,
  { tag, security }: { tag: string; security: string },
): JsonObject {
  const parameters = [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)];
  return {
    operationId: operationIdOf(dialect, route),
    tags: [tag],
    summary: route.summary,
    security: [{ [security]: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody(route),
    responses: { ...answers(dialect, route), ...refusals(dialect, route) },
  };
}

/** `videoconduitGetV1JobsJobId`: made of parts that never change, so that generated clients keep their names. */
function operationIdOf({ prefix }: RestDialect, { method, path }: Route): string {
  const [first = '', ...others] = [prefix, method.toLowerCase(), ...path.split(/[^A-Za-z0-9]+/)]
    .map((part) => part.replace('/', ''))
    .filter((part) => part !== '');
  return first + others.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('');
}

function pathParameters({ path }: Route): JsonObject[] {
  const name = parameterOf(path);
  return name === null ? [] : [{ name, in: 'path', required: true, schema: { type: 'string' } }];
}

function queryParameters({ query }: Route): JsonObject[] {
  if (query === undefined) return [];
  const { properties } = jsonSchemaOf(query, 'output');
  const { required } = jsonSchemaOf(query, 'input');
  return Object.entries(isJsonObject(properties) ? properties : {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: Array.isArray(required) && required.includes(name),
    schema,
  }));
}

function headerParameters({ kind, method }: Route): JsonObject[] {
  if (kind === 'submit') return [{ $ref: '#/components/parameters/IdempotencyKey' }];
  if (kind !== 'status') return [];
  const prefer = { $ref: '#/components/parameters/Prefer' };
  return method === 'GET' ? [{ $ref: '#/components/parameters/IfNoneMatch' }, prefer] : [prefer];
}

function requestBody(route: Route): JsonObject {
  const { body, emptyBody } = route;
  if (body === undefined) return {};
  const example = sampleBody(route) ?? {};
  const content = { 'application/json': { schema: jsonSchemaOf(body, 'input'), example } };
  return { requestBody: { required: emptyBody === undefined, content } };
}

function answers(dialect: RestDialect, route: Route): JsonObject {
  const polled = route.kind === 'status';
  const headers = headerRefs([
    ...(polled && route.method === 'GET' ? ['etag'] : []),
    ...(polled ? ['preference-applied'] : []),
    ...(polled || route.kind === 'submit' ? ['x-job-id'] : []),
    ...limitHeaders(dialect),
  ]);
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, { description, schema }]) => {
      const content = schema === null ? {} : { content: { 'application/json': { schema: jsonSchemaOf(schema, 'output') } } };
      return [status, { description, headers, ...content }];
    }),
  );
}

function refusals(dialect: RestDialect, route: Route): JsonObject {
  const byStatus = Map.groupBy(refusedExamples(dialect, route), ({ status }) => status);
  const clash = Object.keys(route.answers).find((status) => byStatus.has(Number(status)));
  if (clash !== undefined) throw new Error(`${route.path} gives ${clash} both as an answer and as a refusal.`);
  return Object.fromEntries(
    [...byStatus].map(([status, given]) => {
      const limits = given.some(({ counted }) => counted) ? limitHeaders(dialect) : [];
      const headers = headerRefs([...new Set(given.flatMap((each) => each.headers)), ...limits]);
      const schema = shapeOf(given.map(({ body }) => body));
      const content = { 'application/json': { schema, examples: shown(given) } };
      return [String(status), { description: STATUS_CODES[status] ?? 'Refused', headers, content }];
    }),
  );
}

/** One for each reason: the first. */
function shown(given: readonly RefusedExample[]): JsonObject {
  const byName = Map.groupBy(given, ({ name }) => name);
  return Object.fromEntries([...byName].map(([name, [first]]) => [name, { value: first?.body ?? null }]));
}

function limitHeaders({ showsRateLimit }: RestDialect): string[] {
  return showsRateLimit ? ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'] : [];
}

function headerRefs(names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [headerNames[name] ?? name, { $ref: `#/components/headers/${name}` }]));
}

/** Header names as they are usually written. */
const headerNames: Readonly<Record<string, string>> = {
  'accept-encoding': 'Accept-Encoding',
  etag: 'ETag',
  'preference-applied': 'Preference-Applied',
  'retry-after': 'Retry-After',
  'x-job-id': 'X-Job-Id',
  'x-ratelimit-limit': 'X-RateLimit-Limit',
  'x-ratelimit-remaining': 'X-RateLimit-Remaining',
  'x-ratelimit-reset': 'X-RateLimit-Reset',
};
