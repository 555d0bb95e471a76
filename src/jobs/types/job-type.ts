import type { FieldIssue } from '../../errors.ts';
import type { JsonObject } from '../model/job.ts';

export type ParsedInput = { ok: true; input: JsonObject } | { ok: false; issues: FieldIssue[] };

/** What is known of a kind of job before one exists: its price, its patience, and what its input must be. */
export interface JobType {
  /** 1 to 100 characters of letters, digits and `_ . : / -`. */
  name: string;
  /** A sentence for a person; may be empty. */
  description: string;
  /** Price of one job, 0 to 1,000,000. */
  credits: number;
  /** Attempts that may fail before the job does, 1 to 100; a job may ask for another number. */
  maxAttempts: number;
  /** Seconds that one attempt may take, 1 to 604,800. */
  timeoutSeconds: number;
  /** Seconds without a word from its worker until an attempt is given up, 1 to 3600, at most `timeoutSeconds`. */
  leaseSeconds: number;
  /** JSON Schema 2020-12 of the input, for clients. */
  inputSchema: JsonObject;
  /**
   * Checks the input of one job, text and nesting included (`textIssues`). Hands it on as it came: fields that the type
   * does not know are kept, nothing is filled in. The issues' paths are relative to the input, array indexes as strings.
   */
  parseInput(input: unknown): ParsedInput;
}

/** Whether a JSON value is an object, rather than an array, a scalar or null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
