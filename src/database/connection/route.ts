import { setTimeout as delay } from 'node:timers/promises';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import pg from 'pg';
import { describeFailure, failureKind, Unreachable } from './failure.ts';
import { isSocket, type Server } from './database-url.ts';
import type { Host } from './host.ts';
import { NoServerConnection, prepareSession, type Session, type SessionFacts, UnfitServer } from './session.ts';

/** One way to the server: a host, with or without TLS. */
interface Way {
  host: Host;
  encrypted: boolean;
}

/**
 * Chooses the way to the server for all connections of the process: the host, with or without TLS, that libpq would choose.
 * It searches once, and again when that way stops working. Needed because pg itself supports one host and one TLS mode.
 */
export class Route {
  readonly server: Server;
  #current: Way | null = null;
  #search: Promise<void> | null = null;
  #readOnlyAtFirst: boolean | null = null;

  constructor(server: Server) {
    this.server = server;
  }

  /** pg's configuration for a connection. Call `find` first. */
  clientConfig(applicationName: string): pg.ClientConfig {
    if (this.#current === null) throw new UnfitServer('no server was found yet');
    return this.#configFor(this.#current, applicationName);
  }

  /** Opens a connection outside of any pool. @throws Error that says for each host why it cannot be used */
  async connect(session: Session, applicationName: string): Promise<pg.Client> {
    if (this.#current !== null) {
      try {
        return await this.#connectBy(this.#current, session, applicationName);
      } catch {
        // Fall through to a search, which reports the reason.
      }
    }
    return this.#searchFor(session, applicationName);
  }

  /** Searches for a way that works now. Concurrent callers share one search. */
  async find(): Promise<void> {
    this.#search ??= this.#searchFor({ statementMilliseconds: 0, planning: 'auto' }, 'longhaul')
      .then((client) => client.end())
      .finally(() => {
        this.#search = null;
      });
    return this.#search;
  }

  /** Prepares a new connection. @throws UnfitServer if Longhaul cannot work with its server */
  async prepare(client: pg.ClientBase, session: Session, applicationName: string): Promise<void> {
    const { server } = this;
    const preparing = prepareSession(client, {
      ...session,
      applicationName: server.applicationName ?? applicationName,
      parameters: server.parameters,
    });
    this.#refuseReadOnly(await withinConnectTime(preparing, server));
  }

  /**
   * If the default was read-only from the start, it is just a setting, which each session overrides. If it became read-only
   * later, someone wants to stop all writes: during a failover, or because the disk is full (Azure).
   */
  #refuseReadOnly({ readOnlyByDefault }: SessionFacts): void {
    this.#readOnlyAtFirst ??= readOnlyByDefault;
    const { sessionAttributes } = this.server;
    if (readOnlyByDefault && (sessionAttributes === 'read-write' || !this.#readOnlyAtFirst)) {
      throw new UnfitServer('the server accepts no writes (default_transaction_read_only is on): turn it off, or name the server that does');
    }
  }

  /** Tries each host with each of its TLS modes, in libpq's order, until one works. A refused login ends the search. */
  async #searchFor(session: Session, applicationName: string): Promise<pg.Client> {
    const failures = new Set<string>();
    for (const host of await this.#places()) {
      for (const encrypted of this.#encryptions(host)) {
        const way = { host, encrypted };
        try {
          const client = await this.#connectBy(way, session, applicationName);
          this.#current = way;
          return client;
        } catch (error) {
          const kind = failureKind(error);
          const isLast = encrypted === this.#encryptions(host).at(-1);
          // With sslmode=prefer, a server without TLS is not a failure.
          if (isLast || kind !== 'tls') failures.add(describeFailure(error, host));
          if (kind === 'login' && isLast) throw refusal([...failures], error);
          if (kind === 'address') break;
        }
      }
    }
    throw refusal([...failures]);
  }

  async #connectBy(way: Way, session: Session, applicationName: string): Promise<pg.Client> {
    const client = new pg.Client(this.#configFor(way, applicationName));
    // Without a listener a dropped connection would crash the process. The `end` event that follows is handled instead.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await this.prepare(client, session, applicationName);
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  #encryptions({ address }: Host): boolean[] {
    const { sslMode } = this.server;
    if (isSocket(address) || sslMode === 'disable') return [false];
    if (sslMode === 'allow') return [false, true];
    return sslMode === 'prefer' ? [true, false] : [true];
  }

  /**
   * The hosts to try. Host names are kept, so that each connection resolves them again. They are resolved here only if the
   * addresses of a name may be different kinds of server, or if sslsni=0, because pg would send the name.
   */
  async #places(): Promise<Host[]> {
    const { hosts, shuffled, sessionAttributes, sendsServerName } = this.server;
    const places: Host[] = [];
    for (const host of hosts) {
      if ((sessionAttributes === 'any' && sendsServerName) || isSocket(host.address) || isIP(host.address) !== 0) places.push(host);
      else {
        const found = await lookup(host.address, { all: true }).catch(() => [{ address: host.address }]);
        places.push(...found.map(({ address }) => ({ ...host, address })));
      }
    }
    return shuffled ? places.map((place) => [Math.random(), place] as const).toSorted(([a], [b]) => a - b).map(([, place]) => place) : places;
  }

  #configFor({ host, encrypted }: Way, applicationName: string): pg.ClientConfig {
    const { server } = this;
    // PGOPTIONS was read already. pg would also put it into the start-up packet, as it is.
    delete process.env['PGOPTIONS'];
    return {
      host: host.address,
      port: host.port,
      user: server.user,
      database: server.database,
      application_name: server.applicationName ?? applicationName,
      password: () => server.password(host),
      ssl: encrypted ? server.tls(host) : false,
      sslnegotiation: encrypted ? server.sslNegotiation : 'postgres',
      enableChannelBinding: encrypted && server.channelBinding,
      connectionTimeoutMillis: server.connectMilliseconds,
      keepAlive: server.keepAliveSeconds !== null,
      keepAliveInitialDelayMillis: (server.keepAliveSeconds ?? 0) * 1_000,
      ...(server.startupOptions === null ? {} : { options: server.startupOptions }),
    };
  }
}

function refusal(failures: string[], cause?: unknown): Unreachable {
  const [only] = failures;
  const message = failures.length === 1 ? `DATABASE_URL: ${only}` : ['DATABASE_URL: no host can be used:', ...failures.map((line) => `  ${line}`)].join('\n');
  return new Unreachable(message, { cause });
}

/** The time limit of a connection attempt includes its preparation. Whoever is refused closes the connection. */
async function withinConnectTime<T>(preparing: Promise<T>, { connectMilliseconds }: Server): Promise<T> {
  if (connectMilliseconds === 0) return preparing;
  const over = new AbortController();
  const tooLate = delay(connectMilliseconds, null, { signal: over.signal }).then(() => {
    throw new NoServerConnection(connectMilliseconds / 1_000);
  });
  try {
    return await Promise.race([preparing, tooLate]);
  } finally {
    // The loser of the race may still reject.
    preparing.catch(() => undefined);
    tooLate.catch(() => undefined);
    over.abort();
  }
}
