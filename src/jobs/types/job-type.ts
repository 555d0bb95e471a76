import type { FieldIssue } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';

export type ParsedInput = { ok: true; input: JsonObject } | { ok: false; issues: FieldIssue[] };

/** A kind of job: its price, its limits and its input schema. */
export interface JobType {
  /** 1 to 100 characters of letters, digits and `_ . : / -`. */
  name: string;
  /** A sentence for people. May be empty. */
  description: string;
  /** Price of one job, 0 to 1,000,000. */
  credits: number;
  /** The default number of failed attempts that fail a job, 1 to 100. A job may override it. */
  maxAttempts: number;
  /** Seconds that one attempt may take, 1 to 604,800. */
  timeoutSeconds: number;
  /** Seconds until an attempt expires without a heartbeat from its worker, 1 to 3600 and at most `timeoutSeconds`. */
  leaseSeconds: number;
  /** Days for which its jobs are kept after their end; 0 for ever. RETENTION_DAYS where it is not given. */
  retentionDays?: number | undefined;
  /** JSON Schema 2020-12 of the input, for clients. */
  inputSchema: JsonObject;
  /** JSON Schema 2020-12 of the output, for clients: what a worker completes with is not held against it. */
  outputSchema?: JsonObject | undefined;
  /**
   * Checks the input of one job, including its text and nesting (`textIssues`). Returns the input unchanged: it keeps
   * unknown fields and fills in no defaults. Issue paths are relative to the input, with array indexes as strings.
   */
  parseInput(input: unknown): ParsedInput;
}
