import { Redis } from 'ioredis';
import type { Log } from '../log.ts';

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
  url: string;
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
 * its sockets open, accepts new ones and says nothing. Never throws for a Redis that is away; throws for an unreadable URL.
 */
export function openRedisConnection(options: RedisConnectionOptions): RedisConnection {
  const { log, name } = options;
  const client = createClient(options);
  /** Our own, because ioredis stays `ready` while it waits for the end of a connection that was cut. */
  let state: 'away' | 'greeting' | 'ready' = 'away';
  let unanswered = 0;
  let complaint: string | undefined;
  let closing: Promise<void> | undefined;

  function complain(error: unknown, advice: string): void {
    const reason = describe(error);
    if (closing || reason === complaint) return;
    complaint = reason;
    log.warn({ connection: name, reason }, advice);
  }

  function lose(): void {
    const wasReady = state === 'ready';
    state = 'away';
    if (!wasReady) return;
    log.warn({ connection: name }, 'The connection to Redis is lost; trying again until it is back.');
    options.onLost();
  }

  function beat(): void {
    if (state === 'away') return;
    unanswered += 1;
    if (unanswered > HEARTBEATS_UNANSWERED) {
      lose();
      client.disconnect(true);
    } else if (state === 'ready' && unanswered === 1) {
      client.ping().then(hear, hear);
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
    complain(error, 'Redis cannot be reached. Check that it runs and that REDIS_URL is right.');
  });
  client.on('close', lose);
  client.on('connect', () => {
    if (closing) return;
    unanswered = 0;
    state = 'greeting';
  });
  client.on('ready', () => {
    // A greeting that is answered after its deadline comes on a connection that is being cut.
    if (state !== 'greeting') return;
    unanswered = 0;
    complaint = undefined;
    state = 'ready';
    log.info({ connection: name }, 'Connected to Redis.');
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

/** The one place that reads the URL: other kinds of Redis, a cluster for example, would be told apart here. */
function createClient({ url, name }: RedisConnectionOptions): Redis {
  try {
    return new Redis(url, {
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
  } catch {
    // Without a cause: that of the URL parser holds the URL with its password.
    throw new Error(
      'REDIS_URL cannot be read. Write redis://user:password@host:6379/0, or rediss:// for TLS, with the special ' +
        'characters of the password percent-encoded.',
    );
  }
}

/** Exponential, and random in all of its range: many processes that lost the same Redis do not come back as one. */
function retryDelay(attempt: number): number {
  const ceiling = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** attempt);
  return RETRY_MIN_MS + Math.random() * (ceiling - RETRY_MIN_MS);
}

/** Whether Redis answered with a no; any other error says that the connection is gone. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Its text only: ioredis puts the command on an error, and the one that greets holds the password. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message) return error.message;
  // A host with several addresses fails with all of their errors and no text of its own.
  return 'code' in error ? String(error.code) : error.name;
}
