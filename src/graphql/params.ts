import { LonghaulError } from '../errors.ts';
import { parseJson } from '../json.ts';
import type { GraphQLRequest } from './operation.ts';

const knownParams: ReadonlySet<string> = new Set(['query', 'variables', 'operationName', 'extensions']);

/** Reads the request from the body of a POST. Throws BAD_USER_INPUT. */
export function readBody(body: unknown): GraphQLRequest {
  if (!(body instanceof Uint8Array) || body.length === 0) throw malformed('The body is empty. Send JSON with `query`.');
  return readParams(jsonOf('The body', body));
}

/**
 * Reads the request from the query string of a GET, where only `variables` and `extensions` are JSON. If a parameter is
 * repeated the last one counts, as with keys in JSON. Throws BAD_USER_INPUT.
 */
export function readQueryString(url: string): GraphQLRequest {
  const params: Record<string, unknown> = {};
  for (const [name, text] of new URLSearchParams(searchOf(url))) {
    // An empty operationName counts as none (GraphQL over HTTP, GET).
    if (text === '' && knownParams.has(name)) params[name] = undefined;
    else params[name] = name === 'variables' || name === 'extensions' ? jsonOf(`\`${name}\``, text) : text;
  }
  return readParams(params);
}

/** Checks the encoding first, because URLSearchParams silently replaces invalid UTF-8 with U+FFFD. */
function searchOf(url: string): string {
  const search = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
  try {
    for (const [bytes] of search.matchAll(/(?:%[0-9a-f]{2})+|[^\0-\x7f]+/gi)) {
      if (!bytes.startsWith('%')) throw new URIError('not ASCII');
      decodeURIComponent(bytes);
    }
    return search;
  } catch {
    throw malformed('The query string of the URL is not percent-encoded UTF-8. Encode it that way.');
  }
}

function jsonOf(what: string, source: Uint8Array | string): unknown {
  try {
    return parseJson(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw malformed(`${what} cannot be read as JSON (${reason}). Send JSON in UTF-8.`);
  }
}

function readParams(params: unknown): GraphQLRequest {
  if (Array.isArray(params)) throw malformed('Batches are not supported. Send one operation per request.');
  if (!isObject(params)) throw malformed('The body must be a JSON object, with the document in `query`.');
  const unexpected = Object.keys(params).find((name) => !knownParams.has(name));
  if (unexpected !== undefined) throw malformed(`Unexpected parameter ${JSON.stringify(unexpected)}. Leave it out.`);
  const { query, variables, operationName, extensions } = params;
  if (typeof query !== 'string') throw malformed('`query` must be a string: the GraphQL document.');
  if (!isObjectOrNothing(variables)) throw malformed('`variables` must be an object.');
  if (operationName != null && typeof operationName !== 'string') throw malformed('`operationName` must be a string.');
  if (!isObjectOrNothing(extensions)) throw malformed('`extensions` must be an object.');
  return { query, variables, operationName, extensions };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isObjectOrNothing(value: unknown): value is Record<string, unknown> | null | undefined {
  return value == null || isObject(value);
}

function malformed(message: string): LonghaulError {
  return new LonghaulError('BAD_USER_INPUT', message);
}
