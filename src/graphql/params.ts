/** What a GraphQL request says. */
export interface Params {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
  extensions?: Record<string, unknown>;
}

const knownParams: ReadonlySet<string> = new Set(['query', 'variables', 'operationName', 'extensions']);

/** Null for whatever is not plainly well-formed. */
export function parseParams(body: Buffer): Params | null {
  return readParams(valueOf((): unknown => JSON.parse(body.toString())));
}

/** The same from the query string of a GET, where only `variables` and `extensions` are JSON. */
export function parseQueryParams(query: unknown): Params | null {
  if (!isObject(query)) return null;
  const read = (name: 'variables' | 'extensions') => {
    const text = query[name];
    if (typeof text !== 'string') return { [name]: text };
    return { [name]: valueOf((): unknown => JSON.parse(text)) ?? text };
  };
  return readParams({ ...query, ...read('variables'), ...read('extensions') });
}

function readParams(params: unknown): Params | null {
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
