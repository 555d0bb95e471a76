import { readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import type { JobStatus } from '../graphql/generated/graphql.ts';

/** Asked for the key whenever a client connects, so it also tells when one does. */
type Token = () => Promise<string>;

/** A job as the page's document selects it. */
export interface WatchedVersion {
  version: number;
  status: JobStatus;
  output: unknown;
}

/** What the page's code makes: a client that connects again for ever, and the way to watch a job through it. */
export interface ResumingClient {
  client: { dispose(): void | Promise<void> };
  /** @param onEnd is given null after the final version, or else what the client does not get over */
  watch(id: string, onJob: (job: WatchedVersion) => void, onEnd: (error: unknown) => void): () => void;
}

const page = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');

/** "Resuming": the first block is of graphql-ws, the second has its client only. */
const [overSocket, overEvents] = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);

/** Milliseconds of the page by others, for a test that cannot wait for them. */
export type Hurry = Readonly<Record<string, string>>;

/** PROTOCOL.md's lines for graphql-ws, run as they stand there. @param url of the process, http */
export function resumeOverSocket(url: string, token: Token, hurry: Hurry = {}): ResumingClient {
  if (overSocket?.includes("from 'graphql-ws'") !== true) throw new Error('PROTOCOL.md has no code for graphql-ws.');
  return run(hurried(overSocket, hurry), createSocketClient, `${url.replace(/^http/, 'ws')}/graphql`, token);
}

/** PROTOCOL.md's lines for graphql-sse: its client, "the same" otherwise. */
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

/** A job at one of its changes. */
export interface UpdatedJob {
  id: string;
  version: number;
  status: JobStatus;
}

/** Says where an update stands, and so where to go on after it. */
export interface Update {
  cursor: string;
  job: UpdatedJob;
}

/** What both libraries' clients do; their types agree in this much. */
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

/** One watcher of a workspace that resumes from its cursor, as PROTOCOL.md says under its lines. */
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

/** Without waiting: a client that is about to connect rejects where it cannot. */
export function quit(client: ResumingClient['client']): void {
  Promise.resolve(client.dispose()).catch(() => {});
}
