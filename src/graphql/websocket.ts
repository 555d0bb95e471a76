import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ExecutionArgs, validate } from 'graphql';
import { CloseCode, type Disposable } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { LonghaulError } from '../errors.ts';
import type { Services } from '../services.ts';
import { authenticate, ExpiredTokenError, secretIn } from '../workspaces/authenticate.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { CredentialWatch, Lapse } from './credential-watch.ts';
import { createLoaders } from './loaders.ts';
import { publicError } from './public-error.ts';
import type { Yoga } from './yoga.ts';

/** The largest message that a client may send, in bytes: a document with its variables. */
const maxPayload = 4 * 1024 * 1024;

type Envelope = ReturnType<Yoga['getEnveloped']>;

/** What a socket keeps from its connection_init on. */
interface SocketExtra extends Record<PropertyKey, unknown> {
  secret: string;
  closed: AbortController;
}

/** GraphQL over WebSocket, protocol graphql-transport-ws, at /graphql. */
export class GraphQLSockets {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload });
  readonly #protocol: Disposable;

  constructor(services: Services, yoga: Yoga, credentials: CredentialWatch) {
    this.#protocol = useServer<Record<string, unknown>, SocketExtra>(
      {
        connectionInitWaitTimeout: 5_000,
        onConnect: async ({ connectionParams, extra }) => {
          const secret = secretOf(connectionParams, extra.request);
          try {
            // 4401 is final for graphql-ws clients, as it should be: asking again would change nothing.
            if (secret === null) throw new LonghaulError('UNAUTHENTICATED', 'no key');
            await authenticate(services, secret, 'NATIVE');
            extra.secret = secret;
            extra.closed = new AbortController();
            credentials.add(extra, secret, (lapse) => closeLapsed(extra.socket, lapse));
            return true;
          } catch (error) {
            if (error instanceof ExpiredTokenError) closeLapsed(extra.socket, 'expired');
            else if (error instanceof LonghaulError && error.code === 'UNAUTHENTICATED') {
              extra.socket.close(CloseCode.Unauthorized, 'Invalid or missing API key');
            } else {
              extra.socket.close(1013, 'Try again later');
            }
            return false;
          }
        },
        onDisconnect: ({ extra }) => {
          credentials.remove(extra);
          extra.closed?.abort();
        },
        onSubscribe: async ({ extra }, _id, { query, variables, operationName }) => {
          const { secret, closed } = extra;
          if (secret === undefined || closed === undefined) throw new Error('a socket subscribed before it was let in');
          let viewer: Viewer;
          try {
            // Once more for each operation: the key may have been revoked a moment ago.
            viewer = await authenticate(services, secret, 'NATIVE');
          } catch (error) {
            return [publicError(error, services.log)];
          }
          const context = {
            ...services,
            viewer,
            loaders: createLoaders(services.context.database),
            signal: closed.signal,
          };
          // Through Yoga's envelope, not through graphql-ws's own execution: all limits and masks hold here too.
          const envelope = yoga.getEnveloped({ ...context, params: { query, variables, operationName } });
          try {
            const document = envelope.parse(query);
            const errors: ReturnType<typeof validate> = envelope.validate(envelope.schema, document);
            if (errors.length > 0) return errors.map((error) => publicError(error, services.log));
            return {
              schema: envelope.schema,
              document,
              operationName: operationName ?? null,
              variableValues: variables ?? null,
              contextValue: await envelope.contextFactory(),
              rootValue: envelope,
            };
          } catch (error) {
            return [publicError(error, services.log)];
          }
        },
        execute: (args) => envelopeOf(args).execute(args),
        subscribe: (args) => envelopeOf(args).subscribe(args),
        // The status is HTTP's; a message has none.
        onError: (_context, _id, _payload, errors) =>
          errors.map((error) => {
            const { http: _status, ...extensions } = error.extensions;
            return { ...error.toJSON(), extensions };
          }),
      },
      this.#server,
    );
  }

  /** Takes over a request for an upgrade. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#server.emit('connection', ws, request));
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#server.clients.size;
  }

  /** Closes every socket with 1001, on which clients connect again; whoever does not answer is cut. */
  async stop(): Promise<void> {
    await this.#protocol.dispose();
    for (const client of this.#server.clients) client.terminate();
  }
}

/** 4403 is retried by graphql-ws clients, with fresh parameters; 4401 is final. */
function closeLapsed(socket: WebSocket, lapse: Lapse): void {
  if (lapse === 'expired') socket.close(CloseCode.Forbidden, 'Access token expired');
  else socket.close(CloseCode.Unauthorized, 'API key revoked');
}

function secretOf(connectionParams: Record<string, unknown> | undefined, request: IncomingMessage): string | null {
  const params = Object.fromEntries(
    Object.entries(connectionParams ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return (
    secretIn({
      authorization: text(params['authorization']),
      'x-api-key': text(params['apikey']) ?? text(params['x-api-key']),
    }) ?? secretIn({ authorization: request.headers.authorization, 'x-api-key': request.headers['x-api-key'] })
  );
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

// graphql-ws hands the arguments on as they came from onSubscribe; the envelope travels as the root value.
function envelopeOf({ rootValue }: ExecutionArgs): Envelope {
  if (isEnvelope(rootValue)) return rootValue;
  throw new Error('an operation came without its envelope');
}

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'contextFactory' in value;
}

