/** One change of the database, from one released version to the next. */
export interface Migration {
  /** Never rename a released one: the database records it by this name. */
  name: string;
  /**
   * The oldest version that serves on what this leaves, even half done, and so may start beside the version that ran it; null
   * for those of version 0.2.0 and before. Processes of the version before serve meanwhile, so it only adds: tables, indexes,
   * columns that are null or have a default. What nothing needs any more a later version removes, and names here the first
   * version that did without.
   */
  oldestVersion: string | null;
  /** Run in order. Each is recorded when it is done, so that a killed migration goes on where it was. */
  steps: readonly Step[];
}

export type Step = SqlStep | IndexStep | BackfillStep;

interface SqlStep {
  kind: 'sql';
  name: string;
  statements: readonly string[];
}

interface IndexStep {
  kind: 'index';
  name: string;
  index: string;
  definition: string;
  unique: boolean;
}

interface BackfillStep {
  kind: 'backfill';
  name: string;
  table: string;
  key: Readonly<Record<string, string>>;
  where: string;
  statement: string;
}

/**
 * Statements in one transaction. Name one table in each step: a transaction that waits for a second lock holds the first
 * one meanwhile. A lock is waited for only briefly, and then all is tried again, so the statements must not take long after
 * an exclusive lock: no column with a volatile default, no change of a type, no UPDATE of a large table.
 */
export function sql(name: string, ...statements: string[]): Step {
  return { kind: 'sql', name, statements };
}

/**
 * Makes an index without blocking writers. If a killed migration left it invalid, it is dropped and made again.
 *
 * @param definition what follows ON, for example `"job" ("due_at") where not ready`
 */
export function concurrently(index: string, definition: string, { unique = false } = {}): Step {
  return { kind: 'index', name: `index ${index}`, index, definition, unique };
}

/**
 * Changes many rows, in batches by key, each in a transaction of its own.
 *
 * @param options `key`: the columns of the primary key of `table`, in their order, with their types; `where`: which rows need
 *   it; `statement`: an INSERT, UPDATE or DELETE for the rows whose keys are in `batch`, which are locked
 */
export function backfill(
  name: string,
  options: { table: string; key: Readonly<Record<string, string>>; where?: string; statement: string },
): Step {
  return { kind: 'backfill', name: `backfill ${name}`, where: 'true', ...options };
}

/** Adds a CHECK, which reads every row but blocks nobody meanwhile. */
export function check(table: string, constraint: string, expression: string): Step[] {
  return [
    sql(`${constraint}, for new rows`, `alter table "${table}" add constraint "${constraint}" check (${expression}) not valid`),
    sql(`${constraint}, for all rows`, `alter table "${table}" validate constraint "${constraint}"`),
  ];
}

/** Makes a column NOT NULL. Postgres takes the validated CHECK as its proof, and so need not read the table under a lock. */
export function notNull(table: string, column: string): Step[] {
  const constraint = `${table}_${column}_not_null_check`;
  return [
    ...check(table, constraint, `"${column}" is not null`),
    sql(
      `${table}.${column} not null`,
      `alter table "${table}" alter column "${column}" set not null`,
      `alter table "${table}" drop constraint "${constraint}"`,
    ),
  ];
}

/** The statements of a step, as they are run. `$1` is the last key of the batch before, `$2` the size of a batch. */
export function statementsOf(step: Step, { embedded }: { embedded: boolean }): readonly string[] {
  if (step.kind === 'sql') return step.statements;
  if (step.kind === 'index') {
    // The embedded database has no other connection that could be blocked.
    const kind = `${step.unique ? 'unique ' : ''}index${embedded ? '' : ' concurrently'}`;
    return [`create ${kind} "${step.index}" on ${step.definition}`];
  }
  return [batchStatement(step, { isFirst: false })];
}

/** Gives the number of rows in the batch, and the key of the last one as text. */
export function batchStatement({ table, key, where, statement }: BackfillStep, { isFirst }: { isFirst: boolean }): string {
  const columns = Object.keys(key).map((column) => `"${column}"`);
  const list = columns.join(', ');
  const last = Object.values(key).map((type, index) => `($1::text[])[${index + 1}]::${type}`);
  // Rows are locked in the order of the key, as everywhere, so that a batch and a job's transition cannot deadlock.
  return `with batch as materialized (
  select ${list} from "${table}"
  where (${where}) and ${isFirst ? '$1::text[] is null' : `(${list}) > (${last.join(', ')})`}
  order by ${list} limit $2 for no key update
), change as (
  ${statement}
)
select count(*)::int as rows, (
  select array[${columns.map((column) => `${column}::text`).join(', ')}] from batch
  order by ${columns.map((column) => `${column} desc`).join(', ')} limit 1
) as last from batch`;
}

export type { BackfillStep, IndexStep };
