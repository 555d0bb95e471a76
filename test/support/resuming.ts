import { readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import { createClient as createSseClient } from 'graphql-sse';
import { type ClientOptions, createClient as createSocketClient } from 'graphql-ws';
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

/** What the page's code for workers makes. */
interface Listening {
  /** By token of the lease. */
  attempts: Map<string, AbortController>;
  listen(workerId: string): () => void;
}

const page = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);

/** Replacements for the page's delays, for tests that cannot wait that long. */
type Hurry = Readonly<Record<string, string>>;

/** Runs PROTOCOL.md's code for graphql-ws as it is. @param url http URL of the process */
export function resumeOverSocket(url: string, token: Token, hurry: Hurry = {}): ResumingClient {
  return run(hurried(codeFor('graphql-ws'), hurry), 'client, watch', { createClient: createSocketClient, url: socketUrl(url), token });
}

/** Runs PROTOCOL.md's code for a worker that listens. */
export function listenOverSocket(url: string, token: Token): Pick<ResumingClient, 'client'> & Listening {
  const listening = blocks.find((block) => block.includes('leaseLost('));
  if (listening === undefined) throw new Error('PROTOCOL.md has no code for workers.');
  return run(codeFor('graphql-ws') + listening, 'client, attempts, listen', { createClient: createSocketClient, url: socketUrl(url), token });
}

/** Runs PROTOCOL.md's code for graphql-sse: its own client, and otherwise the same code. */
export function resumeOverEvents(url: string, token: Token, hurry: Hurry = {}): ResumingClient {
  const overSocket = codeFor('graphql-ws');
  const code = codeFor('graphql-sse') + overSocket.slice(overSocket.indexOf('function resuming'));
  return run(hurried(code, hurry), 'client, watch', { createClient: createSseClient, url: `${url}/graphql`, token });
}

/**
 * Runs PROTOCOL.md's code for a library on top of graphql-ws.
 *
 * @param library the module that the code imports, whose exports are `scope`
 * @param makes the name under which the code keeps what it makes
 */
export function resumeLibrary<Made>(
  library: string,
  makes: string,
  url: string,
  token: Token,
  scope: object,
): Made & { client: ResumingClient['client'] & { terminate(): void } } {
  return run(codeFor('graphql-ws') + codeFor(library), `client, ${makes}`, {
    // Without the random pause before it connects again.
    createClient: (options: ClientOptions) => createSocketClient({ ...options, retryWait: async () => {} }),
    url: socketUrl(url),
    httpUrl: `${url}/graphql`,
    token,
    ...scope,
  });
}

function socketUrl(url: string): string {
  return `${url.replace(/^http/, 'ws')}/graphql`;
}

function codeFor(library: string): string {
  const code = blocks.find((block) => block.includes(`from '${library}'`));
  if (code === undefined) throw new Error(`PROTOCOL.md has no code for ${library}.`);
  return code;
}

function hurried(code: string, hurry: Hurry): string {
  return Object.entries(hurry).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`PROTOCOL.md's code waits for no ${from}.`);
    return text.replaceAll(from, to);
  }, code);
}

function run<Made>(code: string, makes: string, scope: object): Made {
  const body = `${code.replaceAll(/^import .*$/gm, '')}\nreturn { ${makes} };`;
  return compileFunction(body, Object.keys(scope), { filename: 'PROTOCOL.md' })(...Object.values(scope));
}

/** A job as of one of its changes. */
export interface UpdatedJob {
  id: string;
  version: number;
  status: JobStatus;
}

/** An update, with the cursor from which to resume after it. */
interface Update {
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
