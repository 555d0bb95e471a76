import { Redis } from 'ioredis';
import { isIP } from 'node:net';
import type { Log } from '../log.ts';
import { connectionAdvice, greetingAdvice, isCut, isRefusal } from './redis-refusal.ts';
import type { RedisAccess, RedisAddress } from './redis-url.ts';

export interface RedisConnection {
  readonly client: Redis;
  /** Whether commands can be sent now; what is sent otherwise is refused at once, nothing is kept for later. */
  ready(): boolean;
  /** Logs why Redis does not do as told, once for each outage and reason. */
  complain(error: unknown, advice: string): void;
  /** Ends the connection and its attempts. May be called twice. */
  close(): Promise<void>;
}

export interface RedisConnectionOptions {
  address: RedisAddress;
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

const HEARTBEAT_MS = 500;
/** Cut after 1 to 1.5 seconds of silence. Heartbeats are counted, not time: our own blocked event loop is no silence. */
const HEARTBEATS_UNANSWERED = 2;
/** ioredis waits for the server's side of the closing, and a frozen server never closes. */
const CLOSING_MS = 100;
const CONNECTING_MS = 2_000;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 2_000;

/**
 * A connection that comes back by itself, for ever, and that is cut when Redis does not answer: a frozen Redis keeps
 * its sockets open, accepts new ones and says nothing. Never throws.
 */
export function openRedisConnection(options: RedisConnectionOptions): RedisConnection {
  const { log, name, address, access } = options;
  const node = `${address.host}:${address.port}`;
  const client = createClient(options);
  /** Our own, because ioredis stays `ready` while it waits for the end of a connection that was cut. */
  let state: 'away' | 'greeting' | 'ready' = 'away';
  let unanswered = 0;
  /** Reasons that were told since the connection was last ready. */
  const complaints = new Set<string>();
  /** Whether the present attempt has said why it fails. */
  let failed = false;
  let closing: Promise<void> | undefined;

  function complain(error: unknown, advice: string): void {
    const reason = withoutPassword(describe(error), access);
    if (closing || complaints.has(reason)) return;
    complaints.add(reason);
    log.warn({ connection: name, node, reason }, advice);
  }

  function lose(): void {
    const before = state;
    state = 'away';
    // A server that expects TLS, or a proxy with no Redis behind it, closes or keeps silent, and ioredis says nothing.
    if (before === 'greeting' && !failed) complain('no greeting', greetingAdvice);
    if (before !== 'ready') return;
    log.warn({ connection: name, node }, 'The connection to Redis is lost; trying again until it is back.');
    options.onLost();
  }

  function beat(): void {
    if (state === 'away') return;
    unanswered += 1;
    if (unanswered > HEARTBEATS_UNANSWERED) {
      lose();
      client.disconnect(true);
    } else if (state === 'ready' && unanswered === 1) {
      client.ping().then(hear, (error: unknown) => {
        if (isRefusal(error)) hear();
      });
    }
  }

  /** A refusal is an answer too: a Redis that is loading refuses PING and serves SUBSCRIBE and PUBLISH. */
  function hear(): void {
    if (state !== 'ready') return;
    unanswered = 0;
    options.onHeartbeat();
  }

  // Without a listener of `error`, ioredis prints to the console.
  client.on('error', (error) => {
    // A connection that is cut while it greets closes now, and is told of then.
    if (state === 'greeting' && isCut(error)) return;
    failed = true;
    complain(error, connectionAdvice(error, access));
  });
  client.on('close', lose);
  client.on('connect', () => {
    if (closing) return;
    failed = false;
    unanswered = 0;
    state = 'greeting';
  });
  client.on('ready', () => {
    // A greeting that is answered after its deadline comes on a connection that is being cut.
    if (state !== 'greeting') return;
    unanswered = 0;
    complaints.clear();
    state = 'ready';
    log.info({ connection: name, node }, 'Connected to Redis.');
    options.onReady();
  });
  const heartbeat = setInterval(beat, HEARTBEAT_MS);

  return {
    client,
    ready: () => state === 'ready',
    complain,
    close() {
      closing ??= new Promise((resolve) => {
        clearInterval(heartbeat);
        state = 'away';
        // Between two attempts there is no socket whose end ioredis could report.
        if (client.status === 'reconnecting' || client.status === 'end') resolve();
        else client.once('end', () => resolve());
        client.disconnect();
      });
      return closing;
    },
  };
}

function createClient({ address, access, name }: RedisConnectionOptions): Redis {
  const { tls, username, password, protocol, family } = access;
  return new Redis({
    ...address,
    family,
    protocol,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    // With the name for its certificate: without one, a server of several names could show that of another.
    ...(tls && { tls: isIP(address.host) ? {} : { servername: address.host } }),
    connectionName: `longhaul-${name}`,
    connectTimeout: CONNECTING_MS,
    disconnectTimeout: CLOSING_MS,
    retryStrategy: retryDelay,
    // What is in flight when a connection ends fails at once, and nothing is sent a second time.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Ours to do, so that we know when it is done.
    autoResubscribe: false,
    // Publishing works while Redis loads, and INFO may be forbidden to our user.
    enableReadyCheck: false,
    disableClientInfo: true,
  });
}

/** Exponential, and random in all of its range: many processes that lost the same Redis do not come back as one. */
function retryDelay(attempt: number): number {
  const ceiling = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** attempt);
  return RETRY_MIN_MS + Math.random() * (ceiling - RETRY_MIN_MS);
}

/** Its text only: ioredis puts the command on an error, and the one that greets holds the password. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message) return error.message;
  // A host with several addresses fails with all of their errors and no text of its own.
  return 'code' in error ? String(error.code) : error.name;
}

/** An old Redis, or a proxy before it, repeats a command that it does not know, and the one that greets holds it. */
function withoutPassword(text: string, { password }: RedisAccess): string {
  return password === undefined ? text : text.replaceAll(password, '[redacted]');
}
