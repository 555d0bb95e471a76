import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type DocumentNode, type ExecutionArgs, type ExecutionResult, getOperationAST, GraphQLError, type validate } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type Server, type SubscribePayload } from 'graphql-ws';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { type ErrorCode, LonghaulError } from '../errors.ts';
import { utf8Text } from '../json.ts';
import type { Services } from '../services.ts';
import { authenticate, ExpiredTokenError, secretIn } from '../workspaces/authenticate.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { GraphQLContext } from './context.ts';
import type { CredentialWatch, Lapse } from './credential-watch.ts';
import { isUnavailable, withoutStatus } from './live/execution.ts';
import { Heartbeat } from './live/heartbeat.ts';
import type { Live } from './live/live.ts';
import type { LivePlan } from './live/plan.ts';
import { closeSoon, SocketConnection, tryAgainLater } from './live/socket.ts';
import { SocketSubscription } from './live/socket-subscription.ts';
import { inWaves } from './live/waves.ts';
import { isTooLong, tooLong } from './limits.ts';
import { createLoaders } from './loaders.ts';
import { valueOf } from './params.ts';
import { publicError } from './public-error.ts';
import { schema } from './schema.ts';
import type { Yoga } from './yoga.ts';

/** The largest message that a client may send, in bytes: a document with its variables (PROTOCOL.md, W4). */
const maxPayload = 4 * 1024 * 1024;

/** PROTOCOL.md, W2. */
const initMilliseconds = 5_000;

/** How long closed sockets may take to answer when the process stops, in milliseconds. */
const farewellMilliseconds = 500;

/** What a socket keeps; the request that opened it is let go. */
interface SocketExtra extends Record<PropertyKey, unknown> {
  socket: WebSocket;
  connection: SocketConnection;
  /** From the headers of the upgrade, then from connection_init; null before either. */
  secret: string | null;
  /** Whose quota it counts against; null before it was let in. */
  apiKeyId: string | null;
  closed: AbortController | null;
  /** Ids of operations that are not under way yet. */
  opening: Set<string>;
}

/** Does what onSubscribe has made ready; travels as the root value, which graphql-ws hands on as it came. */
class Operation {
  readonly run: () => Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;

  constructor(run: () => Promise<ExecutionResult | AsyncIterable<ExecutionResult>>) {
    this.run = run;
  }
}

/** GraphQL over WebSocket, protocol graphql-transport-ws, at /graphql (PROTOCOL.md, W1 to W5). */
export class GraphQLSockets {
  readonly #services: Services;
  readonly #yoga: Yoga;
  readonly #credentials: CredentialWatch;
  readonly #live: Live;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload, handleProtocols });
  readonly #protocol: Server<SocketExtra>;
  readonly #heartbeat = new Heartbeat(this.#server.clients);

  constructor(services: Services, yoga: Yoga, credentials: CredentialWatch, live: Live) {
    this.#services = services;
    this.#yoga = yoga;
    this.#credentials = credentials;
    this.#live = live;
    this.#protocol = makeServer<Record<string, unknown>, SocketExtra>({
      connectionInitWaitTimeout: initMilliseconds,
      onConnect: ({ connectionParams, extra }) => this.#letIn(extra, connectionParams),
      onSubscribe: ({ extra }, id, payload) => this.#prepare(extra, id, payload),
      execute: (args) => operationOf(args).run(),
      subscribe: (args) => operationOf(args).run(),
      onError: (_context, _id, _payload, errors) => errors.map((error) => withoutStatus(error).toJSON()),
    });
  }

  /** Takes over a request for an upgrade. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { authorization, 'x-api-key': apiKey } = request.headers;
    const secret = secretIn({ authorization, 'x-api-key': apiKey });
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, socket, secret));
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

  #open(socket: WebSocket, stream: Duplex, secret: string | null): void {
    const { log } = this.#services;
    const connection = new SocketConnection(socket, stream, this.#live.stalled);
    const extra: SocketExtra = { socket, connection, secret, apiKeyId: null, closed: null, opening: new Set() };
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
      if (secret === null) throw new LonghaulError('UNAUTHENTICATED', 'no key');
      const viewer = await authenticate(this.#services, secret, 'NATIVE');
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
      return [unknownOperation()];
    }
    opening.add(id);
    const prepared = await this.#operation(extra, id, payload);
    if (!('document' in prepared)) {
      opening.delete(id);
      return prepared;
    }
    const { run } = operationOf(prepared);
    return operation(prepared.document, prepared.operationName, () => run().finally(() => opening.delete(id)));
  }

  /** Everything up to the execution: who asks, and whether the document can be carried out at all. */
  async #operation(
    extra: SocketExtra,
    id: string,
    { query, variables, operationName }: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { secret } = extra;
    if (secret === null) throw new Error('a socket subscribed before it was let in');
    if (isTooLong(query)) return [publicError(tooLong(), this.#services.log)];
    try {
      // Once more for each operation: the key may have been revoked a moment ago.
      const viewer = await authenticate(this.#services, secret, 'NATIVE');
      const watch = (plan: LivePlan) => {
        const watching = { plan, variables: variables ?? {}, viewer, lastEventId: null };
        return SocketSubscription.open(this.#live, watching, extra.connection, id);
      };
      const known = this.#live.plans.known(query, operationName);
      if (known !== undefined) return operation(known.document, operationName, () => watch(known));

      // Through Yoga's envelope, not through graphql-ws's own execution: all limits and masks hold here too.
      const params = { query, variables, operationName };
      const envelope = this.#yoga.getEnveloped({ ...this.#context(extra, viewer), params });
      const document = envelope.parse(query);
      const errors: ReturnType<typeof validate> = envelope.validate(envelope.schema, document);
      if (errors.length > 0) return errors.map((error) => publicError(error, this.#services.log));
      const plan = this.#live.plans.make(query, operationName, document);
      if (plan !== null) return operation(document, operationName, () => watch(plan));
      if (getOperationAST(document, operationName) == null) return [unknownOperation()];
      return operation(document, operationName, async () => {
        const contextValue = await envelope.contextFactory();
        const execution = { schema: envelope.schema, document, operationName: operationName ?? null, contextValue };
        const result: ExecutionResult = await envelope.execute({ ...execution, variableValues: variables ?? null });
        return result.errors === undefined ? result : { ...result, errors: result.errors.map(withoutStatus) };
      });
    } catch (error) {
      const shown = publicError(error, this.#services.log);
      // An error would end a subscription for good. A query that has the word in it costs its socket a reconnect, too.
      if (isUnavailable(shown) && /\bsubscription\b/.test(query)) extra.connection.giveUp();
      return [shown];
    }
  }

  #context(extra: SocketExtra, viewer: Viewer): GraphQLContext {
    extra.closed ??= new AbortController();
    const loaders = createLoaders(this.#services.context.database);
    return { ...this.#services, viewer, loaders, signal: extra.closed.signal };
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
  return valueOf(() => utf8Text(data));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function unknownOperation(): GraphQLError {
  return new GraphQLError('Which operation is meant cannot be told. Give operationName, the name of one in the document.', {
    extensions: { code: 'BAD_USER_INPUT' satisfies ErrorCode },
  });
}

/** graphql-ws looks into the document for the operation's kind, and hands the rest on. */
function operation(
  document: DocumentNode,
  operationName: string | null | undefined,
  run: Operation['run'],
): ExecutionArgs {
  return { schema, document, operationName: operationName ?? null, rootValue: new Operation(run) };
}

function operationOf({ rootValue }: ExecutionArgs): Operation {
  if (rootValue instanceof Operation) return rootValue;
  throw new Error('an operation came without what carries it out');
}
