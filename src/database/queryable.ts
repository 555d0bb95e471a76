/** Runs SQL: each statement in its own transaction, or all inside one. */
export interface Queryable {
  /** Takes `$1`-style parameters; pass JSON as text with `$1::jsonb`. Throws UNAVAILABLE if the server cannot be reached. */
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}
