import pg from 'pg';

/** What a connection is for. */
export interface Session {
  /** How long a statement may run; 0: without an end. */
  statementMilliseconds: number;
  /**
   * `force_generic_plan` plans each prepared statement once for each connection: planning a claim takes longer than the
   * claim, and Postgres would do it every time, because it cannot see how short the lists are that come as parameters.
   */
  planning: 'auto' | 'force_generic_plan';
}

/**
 * What the code relies on, whatever the defaults of the server, the database and the role are: the forms in which values
 * are read and written, the isolation that the statements were written for, and no limit that ends them early.
 */
const required: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  bytea_output: 'hex',
  // The shortest text that reads back as the same number.
  extra_float_digits: '1',
  array_nulls: 'on',
  transform_null_equals: 'off',
  gin_fuzzy_search_limit: '0',
  exit_on_error: 'off',
  // A policy that hides rows is an error then, rather than a job that nobody finds.
  row_security: 'off',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  // Idle connections are the pool's to close, and the process's place on the database is held by one.
  idle_session_timeout: '0',
};

/** Defaults of ours that DATABASE_URL may change. */
const usual: Readonly<Record<string, string>> = {
  lock_timeout: '0',
  // A transaction that its process left hanging must not hold locks for ever.
  idle_in_transaction_session_timeout: '30000',
  // Compiling a statement that takes a millisecond takes Postgres a second, and its guess of the cost can be far off.
  jit: 'off',
};

/** Whether a session parameter must have a value other than this one. */
export function isRequiredOtherwise(parameter: string, value: string): boolean {
  const wanted = required[parameter];
  if (wanted === undefined) return parameter === 'plan_cache_mode';
  const given = value.trim().toLowerCase();
  return given === '' || !wanted.toLowerCase().startsWith(given);
}

/** A server that answers and cannot be used, or not for this program: what is wrong and what to do. */
export class UnfitServer extends Error {}

/** What a new connection tells of its server. */
export interface SessionFacts {
  /** The default of the server, the database or the role, before this session set its own. */
  readOnlyByDefault: boolean;
}

const shown = ['server_version_num', 'server_encoding', 'session_replication_role', 'synchronous_commit', 'default_transaction_read_only'];
const oldestVersion = 150_000;
/** The first version that has the parameter. */
const sinceVersion: Readonly<Record<string, number>> = { transaction_timeout: 170_000 };

/**
 * Makes a new connection the one that the code relies on. By statements, because a pooler refuses a start-up packet with
 * parameters; from a clean slate, because a pooler may hand over a connection that another client has changed: its
 * settings, its prepared statements, its locks.
 *
 * @param parameters what the operator chose in DATABASE_URL
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

  // Before any SELECT: under the defaults of a database one may wait for other transactions (SERIALIZABLE, DEFERRABLE), or
  // be compiled for longer than it may run.
  const settings = {
    ...required,
    ...usual,
    statement_timeout: String(session.statementMilliseconds),
    plan_cache_mode: session.planning,
  };
  await client.query(
    Object.entries(settings)
      .map(([name, value]) => `SET ${name} = ${pg.escapeLiteral(value)}`)
      .join('; '),
  );

  const chosen = new Map([
    ['application_name', session.applicationName],
    // What was acknowledged must survive a crash; a level above that is the server's own affair.
    ...(facts['synchronous_commit'] === 'off' ? [['synchronous_commit', 'on'] as const] : []),
    ['transaction_timeout', '0'],
    ...session.parameters,
  ]);
  const known = [...chosen].filter(([name]) => (sinceVersion[name] ?? 0) <= version);
  // Not by SET, which takes a list of schemas for the name of one.
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
  // Foreign keys are not checked then, and only a superuser may change it back.
  if (facts['session_replication_role'] !== 'origin') {
    throw new UnfitServer(
      `session_replication_role is ${facts['session_replication_role']} by default: run ALTER ROLE … (or ALTER DATABASE …) RESET session_replication_role`,
    );
  }
}
