import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { JsonObject } from '../../src/json.ts';

/** The GraphQL answer and HTTP status of one operation. */
export interface Answer<Data> {
  status: number;
  data: Data | null;
  errors: AnswerError[];
}

interface AnswerError {
  message: string;
  extensions: JsonObject;
  path?: (string | number)[];
}

/** One event of a subscription, over either transport. */
interface WatchEvent<Data> {
  data?: Data | null | undefined;
  errors?: readonly { message: string; extensions?: Record<string, unknown> | undefined }[] | undefined;
}

/** The events of one subscription; `return` unsubscribes. */
export type Watch<Data> = AsyncIterableIterator<WatchEvent<Data>>;

type Transport = <Data, Variables extends Record<string, unknown>>(
  url: string,
  key: string,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) => Watch<Data>;

/** Runs a query or a mutation over HTTP. */
export async function request<Data, Variables>(
  url: string,
  key: string | null,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Answer<Data>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const { data = null, errors = [] }: Partial<Answer<Data>> = JSON.parse(await response.text());
  return { status: response.status, data, errors };
}

/** Runs an operation that must succeed, and returns its data. */
export async function ask<Data, Variables>(
  url: string,
  key: string,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const { data, errors } = await request(url, key, document, variables);
  if (data === null || errors.length > 0) throw new Error(`the operation was refused: ${JSON.stringify(errors)}`);
  return data;
}

/** Subscribes over its own WebSocket (graphql-transport-ws). Throws the close event if the connection is refused. */
export const watchSocket: Transport = (url, key, document, variables) => {
  const client = createSocketClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${key}` },
    retryAttempts: 0,
  });
  return client.iterate({ query: print(document), variables });
};

/** Subscribes over server-sent events (graphql-sse, distinct connections). */
export const watchEvents: Transport = (url, key, document, variables) => {
  const client = createSseClient({
    url: `${url}/graphql`,
    headers: { authorization: `Bearer ${key}` },
    retryAttempts: 0,
  });
  return client.iterate({ query: print(document), variables });
};

/** All transports of subscriptions. */
export const transports = [
  { over: 'WebSocket', watch: watchSocket },
  { over: 'server-sent events', watch: watchEvents },
] as const;

/** The data of a subscription's next event. Throws if it ended or the event has errors. */
export async function next<Data>(watch: Watch<Data>): Promise<Data> {
  const { value, done } = await watch.next();
  if (done === true) throw new Error('the subscription ended');
  return dataOf<Data>(value);
}

/** The data of all further events until the subscription completes. */
export async function rest<Data>(watch: Watch<Data>): Promise<Data[]> {
  const all: Data[] = [];
  for await (const event of watch) all.push(dataOf(event));
  return all;
}

function dataOf<Data>({ data, errors }: WatchEvent<Data>): Data {
  if (data == null || errors !== undefined) throw new Error(`an event brought errors: ${JSON.stringify(errors)}`);
  return data;
}
