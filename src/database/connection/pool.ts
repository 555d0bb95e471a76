import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Route } from './route.ts';
import { typeParsers } from '../type-parsers.ts';
import { isLost } from '../unavailable.ts';
import { NoServerConnection, type Session } from './session.ts';
import { SilenceWatch } from './silence.ts';

/** Idle connections are worth keeping: a new one costs six round trips and has to plan every statement again. */
const idleMilliseconds = 60_000;

/** An answer may come this much after the server's own time limit, before the connection counts as silent. */
const answerMilliseconds = 1_000;

/** A server that is gone says no goodbye. */
export const farewellMilliseconds = 3_000;

/** A pool of connections along one route. Each is prepared before it is handed out. Kysely accepts it as a pool. */
export class ConnectionPool {
  readonly options = {};
  readonly #route: Route;
  readonly #pool: pg.Pool;
  readonly #silence: SilenceWatch | null;
  /** The most connections. */
  readonly size: number;
  /** The last word of its name. */
  readonly purpose: string;
  #ended: Promise<void> | null = null;

  constructor(route: Route, { size, name, ...session }: Session & { size: number; name: string }) {
    this.#route = route;
    this.size = size;
    this.purpose = name.split(' ').at(-1) ?? name;
    this.#pool = new pg.Pool({
      // Reads the route's configuration for each new connection, because the route may have changed.
      Client: class extends pg.Client {
        constructor(config?: pg.ClientConfig) {
          super({ ...config, ...route.clientConfig(name) });
        }
      },
      types: serverTypes(),
      max: size,
      idleTimeoutMillis: idleMilliseconds,
      connectionTimeoutMillis: route.server.connectMilliseconds,
      onConnect: (client) => route.prepare(client, session, name),
    });
    // Nothing to do here: a query in flight fails on its own, and the pool replaces a connection lost while idle.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
    const { statementMilliseconds } = session;
    this.#silence = statementMilliseconds === 0 ? null : new SilenceWatch(this.#pool, statementMilliseconds + answerMilliseconds);
  }

  /** How many connections are in use, and how many callers wait for one. */
  get use(): { inUse: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { inUse: totalCount - idleCount, waiting: waitingCount };
  }

  /** The caller must release the connection. */
  async connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      if (isWaitTooLong(error) || error instanceof NoServerConnection) throw error;
      // The server may have moved. Where all connections are in use, looking for another one would not help.
      await this.#route.find();
      return this.#pool.connect();
    }
  }

  /** Runs one statement on any connection. After most errors from Postgres the connection can be reused. */
  async query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<Row[]> {
    const client = await this.connect();
    let broken: Error | undefined;
    try {
      const { rows } = await ask<Row>(client, statement);
      return rows;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || isLost(error)) broken = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Within some seconds, whatever the server does. May be called twice: Kysely ends a pool only if it has used it. */
  end(): Promise<void> {
    const farewell = () => Promise.race([this.#pool.end(), delay(farewellMilliseconds, undefined, { ref: false })]);
    return (this.#ended ??= farewell().finally(() => this.#silence?.stop()));
  }
}

/**
 * Runs a statement. The promise of `client.query` refers to the query and thereby to its rows: under load, a quarter of what
 * they take survives until the next full collection. With a callback nothing does.
 */
export async function ask<Row extends pg.QueryResultRow>(client: pg.ClientBase, statement: pg.QueryConfig): Promise<pg.QueryResult<Row>> {
  try {
    return await new Promise((resolve, reject) => {
      client.query<Row>(statement, (error: Error | null, result) => (error === null ? resolve(result) : reject(error)));
    });
  } catch (error) {
    // As pg does: where the statement came from says more than where its answer was read.
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  }
}

/** pg-pool's error when all connections are in use. */
function isWaitTooLong(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect';
}

function serverTypes(): pg.TypeOverrides {
  const types = new pg.TypeOverrides();
  for (const [oid, parser] of Object.entries(typeParsers)) {
    types.setTypeParser(Number(oid), parser);
  }
  return types;
}
