import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type ExecutionResult, type GraphQLError, parse } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type Server, type SubscribePayload } from 'graphql-ws';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { LonghaulError } from '../errors.ts';
import { utf8Text } from '../json.ts';
import type { Services } from '../services.ts';
import { ExpiredTokenError, secretIn, unauthenticated } from '../workspaces/authenticate.ts';
import type { CredentialWatch, Lapse } from './credential-watch.ts';
import { Heartbeat } from './live/heartbeat.ts';
import type { Live } from './live/live.ts';
import { closeSoon, SocketConnection, tryAgainLater } from './live/socket.ts';
import { SocketSubscription } from './live/socket-subscription.ts';
import { inWaves } from './live/waves.ts';
import type { Operation } from './operation.ts';
import { type Operations, Refusal, type Sender } from './operations.ts';
import { isUnavailable } from './public-error.ts';
import { schema } from './schema.ts';

/** The largest message that a client may send, in bytes: a document with its variables (PROTOCOL.md, W4). */
const maxPayload = 4 * 1024 * 1024;

/** PROTOCOL.md, W2. */
const initMilliseconds = 5_000;

/** How long closed sockets may take to answer when the process stops, in milliseconds. */
const farewellMilliseconds = 500;

/** A document for what is not carried out. */
const anything = parse('{ __typename }');

/** What a socket keeps; the request that opened it is let go. */
interface SocketExtra extends Record<PropertyKey, unknown> {
  socket: WebSocket;
  connection: SocketConnection;
  /** From the headers of the upgrade, then from connection_init; null before either. */
  secret: string | null;
  address: string;
  /** Whose quota it counts against; null before it was let in. */
  apiKeyId: string | null;
  closed: AbortController | null;
  /** Ids of operations that are not under way yet. */
  opening: Set<string>;
}

/** Does what onSubscribe has made ready; travels as the root value, which graphql-ws hands on as it came. */
class Ready {
  readonly run: () => Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;

  constructor(run: () => Promise<ExecutionResult | AsyncIterable<ExecutionResult>>) {
    this.run = run;
  }
}

/** GraphQL over WebSocket, protocol graphql-transport-ws, at /graphql (PROTOCOL.md, W1 to W5). */
export class GraphQLSockets {
  readonly #services: Services;
  readonly #operations: Operations;
  readonly #credentials: CredentialWatch;
  readonly #live: Live;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload, handleProtocols });
  readonly #protocol: Server<SocketExtra>;
  readonly #heartbeat = new Heartbeat(this.#server.clients);

  constructor(services: Services, operations: Operations, credentials: CredentialWatch, live: Live) {
    this.#services = services;
    this.#operations = operations;
    this.#credentials = credentials;
    this.#live = live;
    this.#protocol = makeServer<Record<string, unknown>, SocketExtra>({
      connectionInitWaitTimeout: initMilliseconds,
      onConnect: ({ connectionParams, extra }) => this.#letIn(extra, connectionParams),
      onSubscribe: ({ extra }, id, payload) => this.#prepare(extra, id, payload),
      execute: (args) => readyIn(args).run(),
      subscribe: (args) => readyIn(args).run(),
    });
  }

  /** Takes over a request for an upgrade. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, address: string): void {
    const { authorization, 'x-api-key': apiKey } = request.headers;
    const sender = { secret: secretIn({ authorization, 'x-api-key': apiKey }), address };
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, socket, sender));
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#server.clients.size;
  }

  /** Closes every socket with 1001, in waves; whoever does not answer is cut. */
  async stop(): Promise<void> {
    this.#heartbeat.stop();
    await inWaves(this.#server.clients, (socket) => socket.close(1001, 'Going away'));
    const cut = setTimeout(() => {
      for (const socket of this.#server.clients) socket.terminate();
    }, farewellMilliseconds);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(cut);
  }

  #open(socket: WebSocket, stream: Duplex, sender: Sender): void {
    const { log } = this.#services;
    const connection = new SocketConnection(socket, stream, this.#live.stalled);
    const extra: SocketExtra = { ...sender, socket, connection, apiKeyId: null, closed: null, opening: new Set() };
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (message) => connection.answer(message),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (listener) =>
          socket.on('message', (data) => {
            const message = textOf(data);
            if (message === null) return socket.close(CloseCode.BadRequest, 'Invalid message received');
            listener(message).catch((error: unknown) => {
              // What graphql-ws throws at a message that only a server may send.
              if (error instanceof Error && error.message.startsWith('Unexpected message of type')) {
                return socket.close(CloseCode.BadRequest, 'Invalid message received');
              }
              log.error({ err: error }, 'a message on a socket could not be handled');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          }),
      },
      extra,
    );
    // What breaks a socket ends in its close event; without a listener it would end the process.
    socket.on('error', (error) => log.debug({ err: error }, 'a socket broke'));
    socket.on('pong', () => this.#heartbeat.heard(socket));
    socket.once('close', (code, reason) => {
      this.#credentials.remove(extra);
      if (extra.apiKeyId !== null) this.#live.sockets.giveBack(extra.apiKeyId);
      extra.closed?.abort();
      closed(code, String(reason)).catch((error: unknown) => log.error({ err: error }, 'a socket was not left in order'));
    });
  }

  async #letIn(extra: SocketExtra, params: Readonly<Record<string, unknown>> | undefined): Promise<boolean> {
    const { socket } = extra;
    const secret = secretOf(params) ?? extra.secret;
    try {
      // 4401 is final for graphql-ws clients, as it should be: asking again would change nothing.
      const viewer = await this.#operations.caller({ secret, address: extra.address });
      if (viewer === null) throw unauthenticated();
      const { apiKeyId } = viewer;
      // It may have closed while the key was looked up, and would then count for ever.
      if (socket.readyState !== socket.OPEN) return false;
      if (!this.#live.sockets.take(apiKeyId)) {
        socket.close(tryAgainLater, 'Too many sockets of this key');
        return false;
      }
      extra.apiKeyId = apiKeyId;
      extra.secret = secret;
      this.#credentials.add(extra, viewer, (lapse) => closeLapsed(socket, lapse));
      return true;
    } catch (error) {
      if (error instanceof ExpiredTokenError) closeLapsed(socket, 'expired');
      else if (error instanceof LonghaulError && error.code === 'UNAUTHENTICATED') {
        socket.close(CloseCode.Unauthorized, 'Invalid or missing API key');
      } else {
        socket.close(tryAgainLater, 'Try again later');
      }
      return false;
    }
  }

  /**
   * graphql-ws takes the id of an operation that was completed again at once. While that one is still being opened, the
   * two would be one to it: the first would be left open for ever, the second ended with the first.
   */
  async #prepare(
    extra: SocketExtra,
    id: string,
    payload: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { opening, socket } = extra;
    if (opening.has(id)) {
      socket.close(CloseCode.SubscriberAlreadyExists, 'An operation of this id is still being opened');
      return [];
    }
    opening.add(id);
    const done = () => void opening.delete(id);
    const operation = await this.#operation(extra, payload);
    if (!(operation instanceof Refusal)) {
      return argumentsFor(operation, () => this.#run(extra, id, operation).finally(done));
    }
    done();
    // Nothing is wrong with the document: this is the operation's result, and no fault of the protocol.
    const { errors } = operation;
    if (operation.isPassing) return argumentsFor({ document: anything, name: undefined }, async () => ({ errors }));
    // An error would end a subscription for good. A query that has the word in it costs its socket a reconnect, too.
    if (errors.some(isUnavailable) && /\bsubscription\b/.test(payload.query)) extra.connection.giveUp();
    return errors;
  }

  /** The caller is looked at once more for each operation: the key may have been revoked a moment ago. */
  async #operation({ secret, address }: SocketExtra, payload: SubscribePayload): Promise<Operation | Refusal> {
    try {
      return await this.#operations.open(await this.#operations.caller({ secret, address }), payload);
    } catch (error) {
      return this.#operations.refuse([error]);
    }
  }

  #run(extra: SocketExtra, id: string, operation: Operation): Promise<ExecutionResult | AsyncIterable<ExecutionResult>> {
    const { live: plan } = operation;
    if (plan !== null) {
      return SocketSubscription.open(this.#live, { operation, plan, lastEventId: null }, extra.connection, id);
    }
    extra.closed ??= new AbortController();
    return operation.execute({ signal: extra.closed.signal });
  }
}

/** 4403 is retried by graphql-ws clients, with fresh parameters; 4401 is final. */
function closeLapsed(socket: WebSocket, lapse: Lapse): void {
  if (lapse === 'expired') closeSoon(socket, CloseCode.Forbidden, 'Access token expired');
  else closeSoon(socket, CloseCode.Unauthorized, 'API key revoked');
}

function secretOf(connectionParams: Readonly<Record<string, unknown>> | undefined): string | null {
  const params = Object.fromEntries(
    Object.entries(connectionParams ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return secretIn({
    authorization: text(params['authorization']),
    'x-api-key': text(params['apikey']) ?? text(params['x-api-key']),
  });
}

/** Null for a binary message that is not UTF-8; ws itself refuses such text. */
function textOf(data: RawData): string | null {
  if (!Buffer.isBuffer(data)) throw new TypeError('a message came in pieces or as an ArrayBuffer, which ws does only when asked');
  try {
    return utf8Text(data);
  } catch {
    return null;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** graphql-ws looks into the document for the operation's kind, and hands the rest on. */
function argumentsFor({ document, name }: Pick<Operation, 'document' | 'name'>, run: Ready['run']): ExecutionArgs {
  return { schema, document, operationName: name, rootValue: new Ready(run) };
}

function readyIn({ rootValue }: ExecutionArgs): Ready {
  if (rootValue instanceof Ready) return rootValue;
  throw new Error('an operation came without what carries it out');
}
