/** Runs SQL, each statement in its own transaction or all inside one. */
export interface Queryable {
  /** `$1`-style parameters; JSON goes in as text, `$1::jsonb`. Throws UNAVAILABLE while the server cannot be reached. */
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}
