/** The types that built-in workers like this process's would take. */
export interface BuiltIns {
  /** Those that they take. */
  types: ReadonlySet<string>;
  /** What is missing for others that they would take: a sentence that says what to install, by type. */
  missing: ReadonlyMap<string, string>;
}
