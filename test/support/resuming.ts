import { readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import type { JobStatus } from '../graphql/generated/graphql.ts';

/** Called for the key each time a client connects, so it also shows when one does. */
type Token = () => Promise<string>;

/** A job with the fields that the page's document selects. */
export interface WatchedVersion {
  version: number;
  status: JobStatus;
  output: unknown;
}

/** What the page's code creates: a client that reconnects for ever, and a function to watch a job. */
export interface ResumingClient {
  client: { dispose(): void | Promise<void> };
  /** @param onEnd called with null after the final version, or with a fatal error */
  watch(id: string, onJob: (job: WatchedVersion) => void, onEnd: (error: unknown) => void): () => void;
}

const page = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');

/** In "Resuming", the first block is for graphql-ws; the second only creates the client of graphql-sse. */
const [overSocket, overEvents] = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);

/** Replacements for the page's delays, for tests that cannot wait that long. */
export type Hurry = Readonly<Record<string, string>>;

/** Runs PROTOCOL.md's code for graphql-ws as it is. @param url http URL of the process */
export function resumeOverSocket(url: string, token: Token, hurry: Hurry = {}): ResumingClient {
  if (overSocket?.includes("from 'graphql-ws'") !== true) throw new Error('PROTOCOL.md has no code for graphql-ws.');
  return run(hurried(overSocket, hurry), createSocketClient, `${url.replace(/^http/, 'ws')}/graphql`, token);
}

/** Runs PROTOCOL.md's code for graphql-sse: its own client, and otherwise the same code. */
export function resumeOverEvents(url: string, token: Token, hurry: Hurry = {}): ResumingClient {
  if (overEvents?.includes("from 'graphql-sse'") !== true) throw new Error('PROTOCOL.md has no code for graphql-sse.');
  const watch = overSocket?.slice(overSocket.indexOf('function watch')) ?? '';
  return run(hurried(overEvents + watch, hurry), createSseClient, `${url}/graphql`, token);
}

function hurried(code: string, hurry: Hurry): string {
  return Object.entries(hurry).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`PROTOCOL.md's code waits for no ${from}.`);
    return text.replaceAll(from, to);
  }, code);
}

function run(code: string, createClient: unknown, url: string, token: Token): ResumingClient {
  const body = `${code.replaceAll(/^import .*$/gm, '')}\nreturn { client, watch };`;
  return compileFunction(body, ['createClient', 'url', 'token'], { filename: 'PROTOCOL.md' })(createClient, url, token);
}

/** A job as of one of its changes. */
export interface UpdatedJob {
  id: string;
  version: number;
  status: JobStatus;
}

/** An update, with the cursor from which to resume after it. */
export interface Update {
  cursor: string;
  job: UpdatedJob;
}

/** The common part of the types of both libraries' clients. */
interface SubscribingClient {
  subscribe(
    request: { query: string; variables: Record<string, unknown> },
    sink: {
      next(result: { data: { jobUpdates: Update } }): void;
      error(error: unknown): void;
      complete(): void;
    },
  ): () => void;
  dispose(): void | Promise<void>;
}

/** A watcher of a workspace that resumes from its cursor, as PROTOCOL.md describes below its code. */
export function watchUpdates(
  over: 'socket' | 'events',
  url: string,
  token: Token,
  after: string | null,
  onUpdate: (update: Update) => void,
  onEnd: (error: unknown) => void,
): { leave(): void } {
  const client: SubscribingClient =
    over === 'socket'
      ? createSocketClient({
          url: `${url.replace(/^http/, 'ws')}/graphql`,
          connectionParams: async () => ({ authorization: `Bearer ${await token()}` }),
          retryAttempts: Infinity,
          shouldRetry: () => true,
        })
      : createSseClient({
          url: `${url}/graphql`,
          headers: async () => ({ authorization: `Bearer ${await token()}` }),
          retryAttempts: Infinity,
        });
  let cursor = after;
  const variables = {
    get after() {
      return cursor;
    },
  };
  const query =
    'subscription ($after: String) { jobUpdates(after: $after) { cursor job { id version status } } }';
  const unsubscribe = client.subscribe({ query, variables }, {
    next: ({ data }) => {
      cursor = data.jobUpdates.cursor;
      onUpdate(data.jobUpdates);
    },
    error: onEnd,
    complete: () => onEnd(null),
  });
  return {
    leave() {
      unsubscribe();
      quit(client);
    },
  };
}

/** Does not wait: a client that is still connecting rejects if it cannot. */
export function quit(client: ResumingClient['client']): void {
  Promise.resolve(client.dispose()).catch(() => {});
}
