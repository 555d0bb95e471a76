import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ErrorCode } from '../errors.ts';
import { parseJson } from '../json.ts';

/** What a GraphQL request says. */
export interface Params {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
  extensions?: Record<string, unknown>;
}

const knownParams: ReadonlySet<string> = new Set(['query', 'variables', 'operationName', 'extensions']);

/** The params of a POST; null for whatever is not plainly well-formed. */
export function parseParams(body: Uint8Array): Params | null {
  return wellFormed(valueOf(() => readBody(body)));
}

/** The params of a GET; null for whatever is not plainly well-formed. */
export function parseQueryParams(url: string): Params | null {
  return wellFormed(valueOf(() => readQuery(url)));
}

/** Makes Yoga read requests as the rest of the house does: its own parsers take bytes that are not UTF-8. */
export function paramsPlugin(): Plugin {
  return {
    onRequestParse: ({ requestParser, setRequestParser }) => {
      if (requestParser === undefined) return;
      setRequestParser(async (request) =>
        request.method === 'GET' ? readQuery(request.url) : readBody(new Uint8Array(await request.arrayBuffer())),
      );
    },
  };
}

function readBody(body: Uint8Array): Record<string, unknown> {
  const params = jsonOf('The body', body);
  if (!isObject(params)) throw unreadable('The body must be a JSON object, with the document in `query`.');
  return params;
}

/** Only `variables` and `extensions` are JSON. Of two parameters of one name the last one counts, as of two keys. */
function readQuery(url: string): Record<string, unknown> {
  const params = Object.fromEntries(new URLSearchParams(searchOf(url)));
  const read = (name: 'variables' | 'extensions') => {
    const text = params[name];
    return text === undefined || text === '' ? {} : { [name]: jsonOf(`\`${name}\``, text) };
  };
  const { query, operationName, variables: _variables, extensions: _extensions, ...others } = params;
  return {
    ...others,
    ...(query === undefined || query === '' ? {} : { query }),
    ...(operationName === undefined || operationName === '' ? {} : { operationName }),
    ...read('variables'),
    ...read('extensions'),
  };
}

/** URLSearchParams decodes leniently: it would put U+FFFD in place of bytes that are not UTF-8. */
function searchOf(url: string): string {
  const search = url.includes('?') ? url.slice(url.indexOf('?') + 1) : '';
  try {
    for (const [bytes] of search.matchAll(/(?:%[0-9a-f]{2})+|[^\0-\x7f]+/gi)) {
      if (!bytes.startsWith('%')) throw new URIError('not ASCII');
      decodeURIComponent(bytes);
    }
    return search;
  } catch {
    throw unreadable('The query of the URL is not UTF-8, percent-encoded. Encode it so.');
  }
}

function jsonOf(what: string, source: Uint8Array | string): unknown {
  try {
    return parseJson(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw unreadable(`${what} cannot be read as JSON (${reason}). Send JSON in UTF-8.`);
  }
}

function unreadable(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' satisfies ErrorCode, http: { status: 400 } } });
}

function wellFormed(params: unknown): Params | null {
  if (!isObject(params) || Object.keys(params).some((name) => !knownParams.has(name))) return null;
  const { query, variables, operationName, extensions } = params;
  if (typeof query !== 'string') return null;
  if (variables != null && !isObject(variables)) return null;
  if (operationName != null && typeof operationName !== 'string') return null;
  if (extensions != null && !isObject(extensions)) return null;
  return {
    query,
    ...(variables == null ? {} : { variables }),
    ...(operationName == null ? {} : { operationName }),
    ...(extensions == null ? {} : { extensions }),
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null where it throws: Yoga will say why. */
export function valueOf<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
