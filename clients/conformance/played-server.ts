import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, type DocumentNode, execute, type ExecutionResult, GraphQLError, getOperationAST, parse, subscribe, validate } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { answersOf, type Context } from './answers.ts';
import type { Desk } from './desk.ts';
import type { Files } from './files.ts';
import { LostLeases } from './lost-leases.ts';
import { Refused, type Trouble } from './trouble.ts';

const schema = buildSchema(readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));

/** What the worker is given as its key. */
export const key = 'lh_conformance';

/** Plays Longhaul: the whole schema is there, and the part that workers use is answered. */
export class PlayedServer {
  readonly lostLeases: LostLeases;
  readonly #desk: Desk;
  readonly #root: Record<string, object>;
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response).catch(() => request.destroy()));
  readonly #sockets = new WebSocketServer({ server: this.#server, path: '/graphql' });

  constructor(desk: Desk, files: Files) {
    this.#desk = desk;
    this.lostLeases = new LostLeases(() => desk.look());
    this.#root = { ...answersOf(desk, files), leaseLost: () => this.lostLeases.listen() };
    useServer({ schema, roots: { subscription: this.#root }, onConnect: ({ connectionParams }) => this.#knows(Object.values(connectionParams ?? {})) }, this.#sockets);
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${(address as AddressInfo).port}`;
  }

  stop(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const text = await bodyOf(request);
    if (new URL(request.url ?? '/', this.url).pathname !== '/graphql') return send(response, 404, { error: { code: 'NOT_FOUND', message: 'There is only /graphql.' } });
    const { authorization = '', 'x-api-key': apiKey = '', accept = '' } = request.headers;
    if (!this.#knows([authorization, apiKey])) return send(response, 401, refusal('UNAUTHENTICATED', 'Give the key in Authorization: Bearer KEY.'));
    const asked = this.#parsed(request, text);
    if ('errors' in asked) return send(response, 400, asked);
    if (accept.includes('text/event-stream')) return this.#stream(asked, response);
    const context: Context = { gone: gone.signal, cut: false };
    const { document, variables, operationName } = asked;
    const result = await execute({ schema, document, rootValue: this.#root, contextValue: context, variableValues: variables, operationName });
    const trouble = troubleOf(result);
    if (context.cut) return void response.destroy();
    if (trouble !== null) return inTrouble(response, trouble, result);
    for (const error of result.errors ?? []) this.#desk.faults.push(error.message);
    return send(response, 200, result);
  }

  #knows(secrets: unknown[]): boolean {
    if (secrets.some((secret) => secret === key || secret === `Bearer ${key}`)) return true;
    this.#desk.faults.push('a request without the key');
    return false;
  }

  #parsed(request: IncomingMessage, text: string): Asked | { errors: unknown[] } {
    try {
      const type = request.headers['content-type'] ?? '';
      if (request.method !== 'POST' || !/^application\/([\w.-]+\+)?json\b/.test(type)) throw new GraphQLError(`${request.method} of ${type || 'nothing'}, and not POST of application/json`);
      const { query, variables, operationName }: { query?: unknown; variables?: Record<string, unknown>; operationName?: string } = JSON.parse(text);
      const document = parse(String(query));
      const [fault] = validate(schema, document);
      if (fault !== undefined) throw fault;
      return { document, variables: variables ?? {}, operationName };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#desk.faults.push(message);
      return refusal('BAD_USER_INPUT', message);
    }
  }

  async #stream({ document, variables, operationName }: Asked, response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' }).write(':\n\n');
    const isSubscription = getOperationAST(document, operationName)?.operation === 'subscription';
    const events = isSubscription ? await subscribe({ schema, document, rootValue: this.#root, variableValues: variables, operationName }) : { errors: [] };
    if (!(Symbol.asyncIterator in events)) return void response.end();
    response.on('close', () => void events.return(undefined));
    for await (const event of events) response.write(`event: next\ndata: ${JSON.stringify(event)}\n\n`);
  }
}

interface Asked {
  document: DocumentNode;
  variables: Record<string, unknown>;
  operationName: string | undefined;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function troubleOf({ errors = [] }: ExecutionResult): Trouble | null {
  const refused = errors.map(({ originalError }) => originalError).find((error) => error instanceof Refused);
  return refused instanceof Refused ? refused.trouble : null;
}

/** @param data of an answer with 200, which has the mutation as null */
function inTrouble(response: ServerResponse, trouble: Trouble, { data }: ExecutionResult): void {
  if (trouble.kind === 'cut') return void response.destroy();
  if (trouble.kind === 'page') return void response.writeHead(trouble.status, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
  const { status, code, retryAfter } = trouble;
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  const body = refusal(code, 'The conformance kit says so, on purpose. Try again later.');
  return send(response, status, status === 200 ? { ...body, data } : body, headers);
}

function refusal(code: string, message: string) {
  return { errors: [{ message, extensions: { code } }] };
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
