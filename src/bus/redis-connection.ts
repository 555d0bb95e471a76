import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Log } from '../log.ts';
import { connectionAdvice, createComplaints, greetingAdvice, isCut, isRefusal } from './redis-refusal.ts';
import type { RedisAccess, RedisAddress } from './redis-url.ts';

export interface RedisConnection {
  readonly client: Redis;
  /** Whether commands can be sent now. Otherwise they fail at once; they are never queued. */
  ready(): boolean;
  /** Logs an error from Redis, once per outage and reason. */
  complain(error: unknown, advice: string): void;
  /** Starts connecting. May be called twice. */
  open(): void;
  /** Closes the connection and stops reconnecting. May be called twice. */
  close(): void;
}

interface RedisConnectionOptions {
  servers: RedisServers;
  access: RedisAccess;
  /** Identifies the connection in the logs and in Redis' CLIENT LIST. */
  name: string;
  log: Log;
  /** Called each time the connection becomes ready for commands. */
  onReady(): void;
  /** Called when a ready connection is lost. */
  onLost(): void;
  /** Called about twice a second while Redis answers. */
  onHeartbeat(): void;
}

/** Interchangeable servers for publishing and subscribing: one Redis, or the nodes of a cluster. */
export interface RedisServers {
  /** Never empty. Servers that are known to work come first. */
  addresses(): readonly RedisAddress[];
  /** Whether a node has left the cluster. It may still answer, but its messages reach nobody. */
  hasLeft(address: RedisAddress): boolean;
}

const HEARTBEAT_MS = 500;
/**
 * Unanswered heartbeats before a connection is cut, which takes 1 to 1.5 seconds. We count heartbeats because ioredis'
 * `socketTimeout` measures time, and would cut the connection if our own event loop was blocked.
 */
const HEARTBEATS_UNANSWERED = 2;
/** How long the server may take to close its side. A frozen one never does. */
const CLOSING_MS = 100;

/** Options that all our Redis clients share. */
export function clientOptions({ username, password, protocol, tls }: RedisAccess, name: string) {
  return {
    protocol,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    connectionName: `longhaul-${name}`,
    connectTimeout: 2_000,
    disconnectTimeout: CLOSING_MS,
    // PUBLISH works while Redis is loading, and the user may not be allowed INFO.
    enableReadyCheck: false,
    disableClientInfo: true,
  } satisfies RedisOptions;
}

/**
 * Connects to one of several servers. ioredis reconnects for ever, each time to the next server. This adds heartbeats,
 * because a frozen Redis keeps its sockets open and accepts new ones, but never answers. Never throws.
 */
export function createRedisConnection(options: RedisConnectionOptions): RedisConnection {
  const { servers, access, name, log } = options;
  let server: RedisAddress | undefined;
  let attempts = 0;
  /** Tracked here because ioredis stays `ready` until a connection that we cut has closed. */
  let state: 'away' | 'greeting' | 'ready' = 'away';
  let unanswered = 0;
  /** The first error of the current connection attempt. */
  let failure: unknown;
  let closed = false;
  const describe = () => ({ connection: name, node: server && `${server.host}:${server.port}` });
  const complaints = createComplaints(log, access, describe);

  const client = new Redis({
    ...clientOptions(access, name),
    lazyConnect: true,
    Connector: connectorTo(nextServer, access),
    retryStrategy: retryDelay,
    // Commands in flight fail at once when the connection ends, and are never sent again.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // ioredis 6.0.0 does not report when it has resubscribed, and does not catch errors of its own SUBSCRIBE: if that is
    // refused or interrupted, the process crashes (redis/ioredis#2187).
    autoResubscribe: false,
  });
  client.on('connect', () => {
    unanswered = 0;
    state = 'greeting';
  });
  client.on('ready', () => {
    // The reply to the handshake may arrive while we are cutting the connection.
    if (state !== 'greeting') return;
    unanswered = 0;
    state = 'ready';
    complaints.forget();
    log.info(describe(), 'Connected to Redis.');
    options.onReady();
  });
  // Without a listener ioredis prints errors to the console. `close` follows each error.
  client.on('error', (error: unknown) => {
    failure ??= error;
  });
  client.on('close', lose);
  const heartbeat = setInterval(beat, HEARTBEAT_MS);

  function nextServer(): RedisAddress {
    const addresses = servers.addresses();
    server = addresses[attempts % addresses.length];
    attempts += 1;
    if (!server) throw new Error('Redis has no address.');
    return server;
  }

  function lose(): void {
    const before = state;
    const reason = failure;
    state = 'away';
    failure = undefined;
    if (closed) return;
    if (before === 'ready') {
      log.warn(describe(), 'Lost the connection to Redis. Reconnecting.');
      options.onLost();
    } else if (before === 'greeting' && (reason === undefined || isCut(reason))) {
      // For example a server that expects TLS, or a proxy without a Redis behind it.
      complaints.tell('no greeting', greetingAdvice);
    } else if (reason !== undefined) {
      complaints.tell(reason, connectionAdvice(reason, access));
    }
  }

  function cut(): void {
    lose();
    client.disconnect(true);
  }

  function beat(): void {
    if (state === 'away') return;
    unanswered += 1;
    if (unanswered > HEARTBEATS_UNANSWERED) {
      cut();
    } else if (state === 'ready' && unanswered === 1) {
      // An error reply counts as an answer: while loading, Redis rejects PING but accepts SUBSCRIBE and PUBLISH.
      client.ping().then(hear, (error: unknown) => isRefusal(error) && hear());
    }
  }

  function hear(): void {
    if (state !== 'ready') return;
    unanswered = 0;
    if (!server || !servers.hasLeft(server)) return options.onHeartbeat();
    attempts = 0;
    cut();
  }

  return {
    client,
    ready: () => state === 'ready',
    complain: complaints.tell,
    open() {
      // Ignore the rejection: an `error` event reports it too, and ioredis tries again.
      if (client.status === 'wait' && !closed) client.connect().catch(() => {});
    },
    close() {
      closed = true;
      state = 'away';
      clearInterval(heartbeat);
      client.disconnect();
    },
  };
}

/** ioredis' `Connector` option (redis/ioredis#906) is the only way for a client to change servers. */
function connectorTo(nextServer: () => RedisAddress, { tls, family }: RedisAccess) {
  return class extends AbstractConnector {
    constructor() {
      super(CLOSING_MS);
    }

    override async connect() {
      const { host, port } = nextServer();
      // Send the name (SNI), so that a server with several certificates picks the right one.
      const target = { host, port, family, ...(!isIP(host) && { servername: host }) };
      this.stream = tls ? connectTls(target) : connect(target);
      // The stream may fail before ioredis listens to it. ioredis then reads `firstError`.
      this.stream.once('error', (error) => {
        this.firstError = error;
      });
      return this.stream;
    }
  };
}

/** Exponential with jitter, so that processes which lost the same Redis do not reconnect at once. */
export function retryDelay(attempt: number): number {
  return 100 + Math.random() * (Math.min(2_000, 100 * 2 ** attempt) - 100);
}
