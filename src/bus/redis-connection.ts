import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Log } from '../log.ts';
import { connectionAdvice, createComplaints, greetingAdvice, isCut, isRefusal } from './redis-refusal.ts';
import type { RedisAccess, RedisAddress } from './redis-url.ts';

export interface RedisConnection {
  readonly client: Redis;
  /** Whether commands can be sent now. One that is sent at another time fails at once; nothing is kept for later. */
  ready(): boolean;
  /** Logs what Redis refuses, once for each outage and reason. */
  complain(error: unknown, advice: string): void;
  /** Starts to connect. May be called twice. */
  open(): void;
  /** Ends the connection and its attempts. May be called twice. */
  close(): void;
}

export interface RedisConnectionOptions {
  servers: RedisServers;
  access: RedisAccess;
  /** Tells the connections apart in the logs and in Redis' CLIENT LIST. */
  name: string;
  log: Log;
  /** Called each time that commands can be sent. */
  onReady(): void;
  /** Called when they cannot be sent any more. */
  onLost(): void;
  /** Called about twice a second while Redis answers. */
  onHeartbeat(): void;
}

/** Servers that are equally good for publishing and subscribing: one Redis, or the nodes of a cluster. */
export interface RedisServers {
  /** Never empty; those first that are known to serve. */
  addresses(): readonly RedisAddress[];
  /** Whether a node has left its cluster: it still answers, but its messages reach nobody. */
  hasLeft(address: RedisAddress): boolean;
}

const HEARTBEAT_MS = 500;
/**
 * Cut after 1 to 1.5 seconds of silence. Heartbeats are counted; ioredis' `socketTimeout` measures time, and would cut a
 * connection because our own event loop was blocked.
 */
const HEARTBEATS_UNANSWERED = 2;
/** For the server's side of the closing; a frozen one never closes. */
const CLOSING_MS = 100;

/** What all clients of Redis here have in common. */
export function clientOptions({ username, password, protocol, tls }: RedisAccess, name: string) {
  return {
    protocol,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    connectionName: `longhaul-${name}`,
    connectTimeout: 2_000,
    disconnectTimeout: CLOSING_MS,
    // Publishing works while Redis loads, and the user may lack INFO.
    enableReadyCheck: false,
    disableClientInfo: true,
  } satisfies RedisOptions;
}

/**
 * A connection to one of several servers. ioredis connects again for ever, to the next server each time; what is added
 * here is the watch over silence: a frozen Redis keeps its sockets open, accepts new ones and says nothing. Never throws.
 */
export function createRedisConnection(options: RedisConnectionOptions): RedisConnection {
  const { servers, access, name, log } = options;
  let server: RedisAddress | undefined;
  let attempts = 0;
  /** Our own, because ioredis stays `ready` until a connection that was cut has ended. */
  let state: 'away' | 'greeting' | 'ready' = 'away';
  let unanswered = 0;
  /** Why the present attempt fails. */
  let failure: unknown;
  let closed = false;
  const describe = () => ({ connection: name, node: server && `${server.host}:${server.port}` });
  const complaints = createComplaints(log, access, describe);

  const client = new Redis({
    ...clientOptions(access, name),
    lazyConnect: true,
    Connector: connectorTo(nextServer, access),
    retryStrategy: retryDelay,
    // What is in flight when a connection ends fails at once, and nothing is sent a second time.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // ioredis 6.0.0 does not tell when the topics are bound again, and does not catch the error of its own SUBSCRIBE: one
    // that is refused, or cut short, ends the process (redis/ioredis#2187).
    autoResubscribe: false,
  });
  client.on('connect', () => {
    unanswered = 0;
    state = 'greeting';
  });
  client.on('ready', () => {
    // The answer to a greeting may come while its connection is being cut.
    if (state !== 'greeting') return;
    unanswered = 0;
    state = 'ready';
    complaints.forget();
    log.info(describe(), 'Connected to Redis.');
    options.onReady();
  });
  // Without a listener, ioredis prints errors to the console. Each is followed by `close`.
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
      log.warn(describe(), 'The connection to Redis is lost; trying again until it is back.');
      options.onLost();
    } else if (before === 'greeting' && (reason === undefined || isCut(reason))) {
      // As a server does that expects TLS, or a proxy with no Redis behind it.
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
      // A refusal is an answer too: a Redis that is loading refuses PING, and takes SUBSCRIBE and PUBLISH.
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
      // Its rejection is also an `error`, and the next attempt follows.
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

/** ioredis' option `Connector` (redis/ioredis#906): a client's only way to change its server. */
function connectorTo(nextServer: () => RedisAddress, { tls, family }: RedisAccess) {
  return class extends AbstractConnector {
    constructor() {
      super(CLOSING_MS);
    }

    override async connect() {
      const { host, port } = nextServer();
      // By its name a server with several certificates chooses the right one.
      const target = { host, port, family, ...(!isIP(host) && { servername: host }) };
      this.stream = tls ? connectTls(target) : connect(target);
      // It may fail before ioredis listens, which then looks here.
      this.stream.once('error', (error) => {
        this.firstError = error;
      });
      return this.stream;
    }
  };
}

/** Exponential and random, so that processes which lost the same Redis do not come back together. */
export function retryDelay(attempt: number): number {
  return 100 + Math.random() * (Math.min(2_000, 100 * 2 ** attempt) - 100);
}
