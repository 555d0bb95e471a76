import pg from 'pg';

/** Settings of a connection that depend on its purpose. */
export interface Session {
  /** How long a statement may run; 0 means no limit. */
  statementMilliseconds: number;
  /**
   * `once` plans each prepared statement once per connection. Planning a claim takes longer than running it, and
   * Postgres would plan it every time, because it does not know how short the lists in the parameters are.
   */
  planning: keyof typeof planners;
}

/**
 * What is planned once finds its rows by keys, and must go on doing so when tables grow. Leases come and go: planned while there
 * are none, a statement would read all of them ever after.
 */
const planners = {
  auto: { plan_cache_mode: 'auto', enable_seqscan: 'on' },
  once: { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off' },
};

/**
 * Settings that the code relies on, whatever the defaults of the server, the database and the role: the formats of values,
 * the isolation level, and no timeout that ends a statement early.
 */
const required: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  bytea_output: 'hex',
  // Prints the shortest text that parses back to the same number.
  extra_float_digits: '1',
  array_nulls: 'on',
  transform_null_equals: 'off',
  gin_fuzzy_search_limit: '0',
  exit_on_error: 'off',
  // Makes a policy that hides rows an error, instead of a job that nobody finds.
  row_security: 'off',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  // The pool closes idle connections itself, and the process lock is held on an idle one.
  idle_session_timeout: '0',
};

/** Our defaults, which DATABASE_URL may override. */
const usual: Readonly<Record<string, string>> = {
  lock_timeout: '0',
  // Keeps an abandoned transaction from holding locks: whose connection went silent in the middle of one is back before long.
  idle_in_transaction_session_timeout: '5000',
  // The server finds out within half a minute that a client is gone, and whoever holds locks or a place there with it.
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '4',
  // JIT compilation can take a second for a statement of a millisecond, because cost estimates can be far off.
  jit: 'off',
};

/** Whether Longhaul requires another value of a session parameter. */
export function isRequiredOtherwise(parameter: string, value: string): boolean {
  const wanted = required[parameter];
  if (wanted === undefined) return parameter === 'plan_cache_mode';
  const given = value.trim().toLowerCase();
  return given === '' || !wanted.toLowerCase().startsWith(given);
}

/** The server answers, but Longhaul cannot work with it. The message says why and what to do. */
export class UnfitServer extends Error {
  /** The SQLSTATE for it, as of Unreachable. */
  readonly code = '08004';
}

/**
 * The login succeeded, and then no statement was answered. A pooler does that to a client that it has no server
 * connection for (PgBouncer: `query_wait_timeout`, two minutes by default).
 */
export class NoServerConnection extends UnfitServer {
  constructor(seconds: number) {
    super(
      `no statement was answered within ${seconds} s after the login: if this is a pooler, raise its pool size ` +
        '(PgBouncer: default_pool_size), or lower DATABASE_POOL_SIZE',
    );
  }
}

/** Facts about the server that a new connection learns. */
export interface SessionFacts {
  /** default_transaction_read_only of the server, the database or the role, before this session overrides it. */
  readOnlyByDefault: boolean;
}

const shown = ['server_version_num', 'server_encoding', 'session_replication_role', 'synchronous_commit', 'default_transaction_read_only'];
const oldestVersion = 150_000;
/** The Postgres version that introduced a parameter. */
const sinceVersion: Readonly<Record<string, number>> = { transaction_timeout: 170_000 };

/**
 * Prepares a new connection for use. It sends the settings as statements, because poolers reject a start-up packet that has
 * them. It discards all session state first, because a pooler may hand over a connection on which another client left
 * settings, prepared statements or locks.
 *
 * @param parameters session parameters from DATABASE_URL
 * @throws UnfitServer
 */
export async function prepareSession(
  client: pg.ClientBase,
  session: Session & { applicationName: string; parameters: ReadonlyMap<string, string> },
): Promise<SessionFacts> {
  await client.query('DISCARD ALL');
  const facts = await show(client);
  const version = Number(facts['server_version_num']);
  refuseUnfit(version, facts);

  // Set these before any SELECT: with a database's defaults a SELECT may wait for other transactions (SERIALIZABLE,
  // DEFERRABLE), or spend more time in JIT compilation than its timeout allows.
  const settings = {
    ...required,
    ...usual,
    statement_timeout: String(session.statementMilliseconds),
    ...planners[session.planning],
  };
  await client.query(
    Object.entries(settings)
      .map(([name, value]) => `SET ${name} = ${pg.escapeLiteral(value)}`)
      .join('; '),
  );

  const chosen = new Map([
    ['application_name', session.applicationName],
    // Acknowledged changes must survive a crash, so `off` is overridden. Stricter levels are up to the server.
    ...(facts['synchronous_commit'] === 'off' ? [['synchronous_commit', 'on'] as const] : []),
    ['transaction_timeout', '0'],
    ...session.parameters,
  ]);
  const known = [...chosen].filter(([name]) => (sinceVersion[name] ?? 0) <= version);
  // set_config rather than SET, which would take a quoted list of schemas for the name of one schema.
  const { rows } = await client.query<{ read_only: string }>(
    `SELECT current_setting('transaction_read_only') AS read_only, set_config(name, value, false)
     FROM unnest($1::text[], $2::text[]) AS chosen (name, value)`,
    [known.map(([name]) => name), known.map(([, value]) => value)],
  );
  if (rows[0]?.read_only === 'on') {
    throw new UnfitServer('the server is a standby, which only reads: name the primary, or all of them with target_session_attrs=primary');
  }
  return { readOnlyByDefault: facts['default_transaction_read_only'] === 'on' };
}

async function show(client: pg.ClientBase): Promise<Record<string, string>> {
  const answers: unknown = await client.query(shown.map((name) => `SHOW ${name}`).join('; '));
  const results: { rows: Record<string, string>[] }[] = Array.isArray(answers) ? answers : [];
  return Object.assign({}, ...results.flatMap(({ rows }) => rows));
}

function refuseUnfit(version: number, facts: Record<string, string>): void {
  if (version < oldestVersion) {
    throw new UnfitServer(`the server is Postgres ${Math.floor(version / 10_000)}: version 15 or later is needed`);
  }
  if (facts['server_encoding'] !== 'UTF8') {
    throw new UnfitServer(
      `the database's encoding is ${facts['server_encoding']}: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`,
    );
  }
  // With any other value foreign keys are not checked, and only a superuser may set it back.
  if (facts['session_replication_role'] !== 'origin') {
    throw new UnfitServer(
      `session_replication_role is ${facts['session_replication_role']} by default: run ALTER ROLE … (or ALTER DATABASE …) RESET session_replication_role`,
    );
  }
}
