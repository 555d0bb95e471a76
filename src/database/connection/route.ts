import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import pg from 'pg';
import { describeFailure, failureKind } from './failure.ts';
import { isSocket, type Server } from './database-url.ts';
import type { Host } from './host.ts';
import { prepareSession, type Session, type SessionFacts, UnfitServer } from './session.ts';

/** One way to the server: where, and whether by TLS. */
interface Way {
  host: Host;
  encrypted: boolean;
}

/**
 * The way to the server that all connections of the process take: the first host, with TLS or without it, that libpq
 * would settle on. Looked for once, and again when it no longer leads anywhere; pg by itself knows one host and one
 * kind of TLS.
 */
export class Route {
  readonly server: Server;
  #current: Way | null = null;
  #search: Promise<void> | null = null;
  #readOnlyAtFirst: boolean | null = null;

  constructor(server: Server) {
    this.server = server;
  }

  /** What pg needs for one more connection, once the way was found. */
  clientConfig(applicationName: string): pg.ClientConfig {
    if (this.#current === null) throw new UnfitServer('the server was not found yet');
    return this.#configFor(this.#current, applicationName);
  }

  /** Makes a connection of its own, outside of any pool. @throws Error that says for each host why it cannot be used. */
  async connect(session: Session, applicationName: string): Promise<pg.Client> {
    if (this.#current !== null) {
      try {
        return await this.#connectBy(this.#current, session, applicationName);
      } catch {
        // The search says why.
      }
    }
    return this.#searchFor(session, applicationName);
  }

  /** Finds out which way is open now. Those who ask at the same time share the search. */
  async find(): Promise<void> {
    this.#search ??= this.#searchFor({ statementMilliseconds: 0, planning: 'auto' }, 'longhaul')
      .then((client) => client.end())
      .finally(() => {
        this.#search = null;
      });
    return this.#search;
  }

  /** Sets a new connection up. @throws UnfitServer where its server cannot be worked with. */
  async prepare(client: pg.ClientBase, session: Session, applicationName: string): Promise<void> {
    const { server } = this;
    const facts = await prepareSession(client, {
      ...session,
      applicationName: server.applicationName ?? applicationName,
      parameters: server.parameters,
    });
    this.#refuseReadOnly(facts);
  }

  /**
   * Read-only by default from the start on is a setting like others, which each session changes. Where it became so
   * later, somebody wants nothing to be written: a failover, or a disk that is full (Azure).
   */
  #refuseReadOnly({ readOnlyByDefault }: SessionFacts): void {
    this.#readOnlyAtFirst ??= readOnlyByDefault;
    const { sessionAttributes } = this.server;
    if (readOnlyByDefault && (sessionAttributes === 'read-write' || !this.#readOnlyAtFirst)) {
      throw new UnfitServer('the server takes no writes (default_transaction_read_only is on): turn it off, or name the one that does');
    }
  }

  /** libpq's order: each host, with its kinds of encryption, until one answers; a refusal to log in ends the search. */
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
          // With prefer, a server without TLS is no failure.
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
    // Without a listener a dropped connection would end the process; `end` follows and is what is acted on.
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
   * Where to look. Names stay names, so that each connection asks for their address again; except where each address of a
   * name may be another kind of server, or pg would tell the name that sslsni=0 keeps back.
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
    // pg would put it into the start-up packet, past everything that was read from it.
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

function refusal(failures: string[], cause?: unknown): Error {
  const [only] = failures;
  const message = failures.length === 1 ? `DATABASE_URL: ${only}` : ['DATABASE_URL: no host can be used:', ...failures.map((line) => `  ${line}`)].join('\n');
  return new Error(message, { cause });
}
