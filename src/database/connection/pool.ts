import { createPostgreSqlTypeParsers } from '@mikro-orm/sql';
import pg from 'pg';
import type { Route } from './route.ts';
import type { Session } from './session.ts';

/** A connection that stands idle is worth keeping: setting up another one costs six round trips and every plan. */
const idleMilliseconds = 60_000;

/** Connections for one purpose, all by the same route, each set up before anybody gets it. As Kysely takes pools, too. */
export class ConnectionPool {
  readonly options = {};
  readonly #route: Route;
  readonly #pool: pg.Pool;
  #ended: Promise<void> | null = null;

  constructor(route: Route, { size, name, ...session }: Session & { size: number; name: string }) {
    this.#route = route;
    this.#pool = new pg.Pool({
      // The way is looked up when a connection is made: it may have become another one since.
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
    // The query in flight fails by itself; a connection that was lost while idle is only replaced.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /** The caller releases it. */
  async connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      if (isWaitTooLong(error)) throw error;
      // The server may be elsewhere by now.
      await this.#route.find();
      return this.#pool.connect();
    }
  }

  /** One statement on any connection. One that failed in Postgres leaves the connection as good as it was. */
  async query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<Row[]> {
    const client = await this.connect();
    let broken: Error | undefined;
    try {
      const { rows } = await client.query<Row>(statement);
      return rows;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) broken = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** May be called twice: Kysely ends a pool only if it has used it. */
  end(): Promise<void> {
    return (this.#ended ??= this.#pool.end());
  }
}

/** pg-pool's word for "all connections are in use", which no other server would change. */
function isWaitTooLong(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect';
}

/** Values as MikroORM reads them, the same on every connection. */
function serverTypes(): pg.TypeOverrides {
  const types = new pg.TypeOverrides();
  for (const [oid, parser] of Object.entries(createPostgreSqlTypeParsers(splitArray))) {
    types.setTypeParser(Number(oid), parser);
  }
  return types;
}

/** Arrays of timestamps arrive as text, `{"a","b"}`; no query selects one, MikroORM asks for the parser all the same. */
export function splitArray(text: string): string[] {
  return text.slice(1, -1).split(',');
}
