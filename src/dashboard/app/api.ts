import { createClient, type Limits, type Listening, LonghaulError } from '@longhaul/client';
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
import { signal } from '@preact/signals';

/** A document that `npm run codegen` typed. */
export interface TypedDocument<Result, Variables> extends DocumentTypeDecoration<Result, Variables> {
  toString(): string;
}

/** Whether the server was heard last. */
export const answering = signal(true);

/** Whether the server last said that this key asks too often. The client waits until it may go on. */
export const limited = signal(false);

/** For what listens by the client itself: a server that is heard answers. */
export function hears(transport: string | null): void {
  if (transport !== null) answering.value = true;
}

/** Asks this page's own server. Links of the server name it by PUBLIC_URL, which may be another name for the same place, such as localhost. */
export async function ask(...[to, init]: Parameters<typeof fetch>): Promise<Response> {
  try {
    const response = await fetch(typeof to === 'string' ? atHome(to) : to, init);
    answering.value = true;
    limited.value = response.status === 429;
    return response;
  } catch (error) {
    // An aborted request says nothing about the server.
    if (error instanceof TypeError) answering.value = false;
    throw error;
  }
}

/** A link of the server's, such as that of a file, by the name that this page was opened with. */
export function atHome(url: string): string {
  const { pathname, search } = new URL(url, location.href);
  return location.origin + pathname + search;
}

/** The one client of this page. Its requests carry the browser's session cookie, and nothing else. */
export const client = createClient({ url: '.', auth: null, fetch: ask });

/** Asks whether the server is heard, for as long as a request is tried. */
function probe(): void {
  client.query('{ __typename }', {}).catch(() => {});
}

// A socket would not tell for a while. The server may be on this machine, and be heard all the same.
addEventListener('offline', probe);
addEventListener('online', probe);

/** Told when the server no longer knows the session. */
let onSignedOut = () => {};

export function whenSignedOut(tell: () => void): void {
  onSignedOut = tell;
}

/**
 * Runs a query or a mutation. While the server is away it is tried again for half a minute.
 *
 * @throws LonghaulError
 */
export async function query<Result, Variables extends object>(
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  limits: Limits = {},
): Promise<Result> {
  try {
    return await client.query<Result>(document.toString(), variables, limits);
  } catch (error) {
    throw noticed(error);
  }
}

/**
 * Listens to a subscription, across breaks, until it is complete. It is left by its signal.
 *
 * @throws LonghaulError in the loop over it
 */
export async function* subscribe<Result, Variables extends Record<string, unknown>>(
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  { onTransport = () => {}, ...limits }: Listening & { signal: AbortSignal },
): AsyncGenerator<Result, void> {
  const onHeard: Listening['onTransport'] = (name) => {
    hears(name);
    onTransport(name);
  };
  try {
    yield* client.subscribe<Result>(document.toString(), variables, { ...limits, onTransport: onHeard });
  } catch (error) {
    throw noticed(error);
  }
}

/** Gives the error back, after it was seen whether it ends the session. For what the client does by itself, such as uploads. */
export function noticed(error: unknown): unknown {
  if (error instanceof LonghaulError && (error.code === 'UNAUTHENTICATED' || error.code === 'TOKEN_EXPIRED')) onSignedOut();
  return error;
}

/** The sentence to show for whatever was thrown or answered. */
export function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string') return error.message;
  return 'Something went wrong in this page. Reload it, and report what you did.';
}
