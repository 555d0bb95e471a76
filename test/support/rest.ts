import type { JsonValue } from '../../src/json.ts';

/** The answer to a client of a REST dialect. */
export interface RestAnswer {
  status: number;
  headers: Headers;
  /** Parsed; undefined if there is no body. */
  body: JsonValue | undefined;
}

export interface RestRequest {
  method?: string;
  /** Sent as `Authorization: Bearer`. */
  key?: string;
  /** Sent as JSON. */
  json?: unknown;
  headers?: Record<string, string>;
  /** Sent as it is. */
  body?: string | Uint8Array<ArrayBuffer>;
}

/** Sends one request, without following redirects. */
export async function rest(url: string, { method, key, json, headers, body }: RestRequest = {}): Promise<RestAnswer> {
  const sent = json === undefined ? body : JSON.stringify(json);
  const response = await fetch(url, {
    method: method ?? (sent === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}
