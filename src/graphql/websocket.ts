import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type ExecutionResult, type GraphQLError, parse } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type Server, type SubscribePayload } from 'graphql-ws';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { LonghaulError } from '../errors.ts';
import { utf8Text } from '../json.ts';
import type { Services } from '../services.ts';
import type { PageSessions } from '../web/page-sessions.ts';
import { ExpiredTokenError, type Lapse, lapsedError, secretIn, unauthenticated } from '../workspaces/authenticate.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { CredentialWatch } from './credential-watch.ts';
import { Heartbeat } from './live/heartbeat.ts';
import type { Live } from './live/live.ts';
import { closeSoon, SocketConnection, tryAgainLater } from './live/socket.ts';
import { SocketSubscription } from './live/socket-subscription.ts';
import { inWaves } from './live/waves.ts';
import type { Operation } from './operation.ts';
import { type Operations, Refusal, type Sender } from './operations.ts';
import { databaseAway, isUnavailable } from './public-error.ts';
import { schema } from './schema.ts';

/** Largest message from a client, in bytes: a document with its variables (PROTOCOL.md, W4). */
const maxPayload = 4 * 1024 * 1024;

/** How long a client may take to send connection_init (PROTOCOL.md, W2). */
const initMilliseconds = 5_000;

/** How long clients may take to answer the close frame when the process stops. */
const farewellMilliseconds = 500;

/** graphql-ws needs a document even for an operation that is not executed. */
const anything = parse('{ __typename }');

/** The state of a socket. It does not hold the upgrade request, so that one can be collected. */
interface SocketExtra extends Record<PropertyKey, unknown> {
  socket: WebSocket;
  connection: SocketConnection;
  /** From the upgrade headers, then from connection_init; null if neither has one. */
  secret: string | null;
  /** Of the page that this server serves, from the upgrade's cookie; counts only without a secret. */
  session: string | null;
  address: string;
  /** The caller whose quota it counts against; null until the connection is accepted. */
  viewer: Viewer | null;
  closed: AbortController | null;
  /** Ids of operations that are still being opened. */
  opening: Set<string>;
}

/** Carries what onSubscribe prepared to execute and subscribe, as the root value: graphql-ws passes that on unchanged. */
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
  readonly #pages: PageSessions;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload, handleProtocols });
  readonly #protocol: Server<SocketExtra>;
  readonly #heartbeat = new Heartbeat(this.#server.clients);

  constructor(services: Services, operations: Operations, credentials: CredentialWatch, live: Live, pages: PageSessions) {
    this.#services = services;
    this.#operations = operations;
    this.#credentials = credentials;
    this.#live = live;
    this.#pages = pages;
    this.#protocol = makeServer<Record<string, unknown>, SocketExtra>({
      connectionInitWaitTimeout: initMilliseconds,
      onConnect: ({ connectionParams, extra }) => this.#letIn(extra, connectionParams),
      onSubscribe: ({ extra }, id, payload) => this.#prepare(extra, id, payload),
      execute: (args) => readyIn(args).run(),
      subscribe: (args) => readyIn(args).run(),
    });
  }

  /** Takes over an upgrade request. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, address: string): void {
    const { authorization, 'x-api-key': apiKey } = request.headers;
    const sender = { secret: secretIn({ authorization, 'x-api-key': apiKey }), session: this.#pages.ofUpgrade(request), address };
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, socket, sender));
  }

  /** Number of open sockets. */
  get size(): number {
    return this.#server.clients.size;
  }

  /** Closes every socket with 1001, in waves, and then terminates those that did not answer. */
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
    const extra: SocketExtra = { ...sender, socket, connection, viewer: null, closed: null, opening: new Set() };
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
              // graphql-ws throws this for message types that only a server may send.
              if (error instanceof Error && error.message.startsWith('Unexpected message of type')) {
                return socket.close(CloseCode.BadRequest, 'Invalid message received');
              }
              log.error({ err: error }, 'could not handle a WebSocket message');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          }),
      },
      extra,
    );
    // The close event does the clean-up. Without this listener an error would end the process.
    socket.on('error', (error) => log.debug({ err: error }, 'WebSocket error'));
    socket.on('pong', () => this.#heartbeat.heard(socket));
    socket.once('close', (code, reason) => {
      this.#credentials.remove(extra);
      if (extra.viewer !== null) this.#live.sockets.giveBack(extra.viewer);
      extra.closed?.abort();
      closed(code, String(reason)).catch((error: unknown) => log.error({ err: error }, 'could not clean up after a WebSocket'));
    });
  }

  async #letIn(extra: SocketExtra, params: Readonly<Record<string, unknown>> | undefined): Promise<boolean> {
    const { socket, session, address } = extra;
    const secret = secretOf(params) ?? extra.secret;
    try {
      // Answered with 4401, which makes graphql-ws clients give up: reconnecting would not help.
      const viewer = await this.#operations.caller({ secret, session, address });
      if (viewer === null) throw unauthenticated();
      // If the socket closed during the look-up, its close event is past: taking quota now would never be given back.
      if (socket.readyState !== socket.OPEN) return false;
      if (!this.#live.sockets.take(viewer)) {
        socket.close(tryAgainLater, 'Too many sockets for this key or token');
        return false;
      }
      extra.viewer = viewer;
      extra.secret = secret;
      this.#credentials.add(extra, viewer, (lapse) => {
        closeLapsed(socket, secret === null ? 'ended' : lapse);
        // Not with the close event: the client may take its time for that, and its claims wait.
        extra.closed?.abort(lapsedError(viewer, lapse));
      });
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
   * Refuses an id whose previous operation is still being opened. graphql-ws accepts the id of a completed operation again
   * at once, and would take the two for one: the first would stay open for ever, and the second would end with the first.
   */
  async #prepare(
    extra: SocketExtra,
    id: string,
    payload: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { opening, socket } = extra;
    if (opening.has(id)) {
      socket.close(CloseCode.SubscriberAlreadyExists, 'An operation with this id is still being opened');
      return [];
    }
    opening.add(id);
    const done = () => void opening.delete(id);
    const operation = await this.#operation(extra, payload);
    if (!(operation instanceof Refusal)) {
      return argumentsFor(operation, () => this.#run(extra, id, operation).finally(done));
    }
    done();
    // The document is fine, so send the errors as the operation's result, not as a protocol error.
    const { errors } = operation;
    if (operation.isPassing) return argumentsFor({ document: anything, name: undefined }, async () => ({ errors }));
    // An error message would end a subscription for good, so close the socket instead. The document may be unparsed: a query
    // that merely contains the word also makes its client reconnect.
    if (errors.some(isUnavailable) && /\bsubscription\b/.test(payload.query)) extra.connection.giveUp(databaseAway);
    return errors;
  }

  /** Authenticates again for each operation: the key may have been revoked since the connection was accepted. */
  async #operation({ secret, session, address }: SocketExtra, payload: SubscribePayload): Promise<Operation | Refusal> {
    try {
      return await this.#operations.open(await this.#operations.caller({ secret, session, address }), payload);
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

/** graphql-ws clients reconnect after 4403, with fresh parameters; 4401 is final. @param lapse `ended`: a session, however it ended */
function closeLapsed(socket: WebSocket, lapse: Lapse | 'ended'): void {
  if (lapse === 'ended') closeSoon(socket, CloseCode.Unauthorized, 'Session ended');
  else if (lapse === 'expired') closeSoon(socket, CloseCode.Forbidden, 'Access token expired');
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

/** Null for a binary message that is not UTF-8. ws itself rejects text messages that are not. */
function textOf(data: RawData): string | null {
  if (!Buffer.isBuffer(data)) throw new TypeError('expected a Buffer from ws, got fragments or an ArrayBuffer');
  try {
    return utf8Text(data);
  } catch {
    return null;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** graphql-ws reads the operation's kind from the document and passes the rest on. */
function argumentsFor({ document, name }: Pick<Operation, 'document' | 'name'>, run: Ready['run']): ExecutionArgs {
  return { schema, document, operationName: name, rootValue: new Ready(run) };
}

function readyIn({ rootValue }: ExecutionArgs): Ready {
  if (rootValue instanceof Ready) return rootValue;
  throw new Error('an operation arrived that onSubscribe did not prepare');
}
