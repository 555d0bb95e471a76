import { z } from 'zod';
import { expecting, lengthOf, parseInput } from '../../input.ts';
import type { JsonObject } from '../../json.ts';
import { decodeLeaseToken } from '../claim/lease-token.ts';
import { LeaseLostError } from '../model/job-errors.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import type { Appended, AppendQueue } from './append-queue.ts';
import { type LogLevel, logLevels, rankOf } from './line.ts';

/** The most lines of one call. */
export const mostLines = 1_000;

/** The most characters of a message; what is longer is cut. */
const mostCharacters = 8_192;

/** The most bytes of a line's fields, as JSON. */
export const mostFieldBytes = 16_384;

const earliest = new Date('1970-01-01T00:00:00Z');
const tooLate = new Date('+010000-01-01T00:00:00Z');

const fieldsError = `expected at most ${mostFieldBytes} bytes as JSON`;

const line = z.object({
  at: z.date().refine((at) => at >= earliest && at < tooLate, { error: 'must be in the years 1970 to 9999' }).nullish(),
  level: z.enum(logLevels).nullish(),
  message: z.string(),
  fields: z
    .custom<JsonObject>((fields) => typeof fields === 'object' && !Array.isArray(fields), { error: expecting('an object') })
    .refine((fields) => Buffer.byteLength(JSON.stringify(fields)) <= mostFieldBytes, { error: fieldsError })
    .nullish(),
});

const appended = z.object({ token: z.string(), lines: z.array(line).min(1).max(mostLines) });

export interface LogLine {
  /** Default: now. */
  at?: Date | null | undefined;
  /** Default: INFO. */
  level?: LogLevel | null | undefined;
  /** What is longer than 8,192 characters is cut, and says so. */
  message: string;
  /** At most 16,384 bytes as JSON. */
  fields?: JsonObject | null | undefined;
}

export interface LogLines {
  token: string;
  /** 1 to 1,000. */
  lines: readonly LogLine[];
}

/**
 * Appends lines to the log of a job, by the worker that holds its lease, and renews the lease.
 *
 * @throws ValidationError, LeaseLostError: nothing was written then
 */
export async function appendLogs(queue: AppendQueue, scope: WorkspaceScope, request: LogLines): Promise<Appended> {
  const { token, lines } = parseInput(appended, request);
  const ref = decodeLeaseToken(token);
  if (ref === null) throw new LeaseLostError(null);
  const rows = lines.map(({ at, level, message, fields }) => ({
    at: at?.toISOString() ?? null,
    level: rankOf(level ?? 'INFO'),
    message: cut(message),
    fields: fields ?? null,
  }));
  return queue.add({ ref, scope, count: rows.length, lines: JSON.stringify(rows) });
}

/** Counts characters, as every other bound does, and not the halves of surrogate pairs. Most messages are too short to be counted. */
function cut(message: string): string {
  const length = message.length > mostCharacters ? lengthOf(message) : 0;
  if (length <= mostCharacters) return message;
  const note = `… (cut: it had ${length} characters)`;
  const kept = mostCharacters - note.length;
  // A character takes two units at most. So the slice has all that are kept, and cuts none of these in half.
  return Array.from(message.slice(0, 2 * kept)).slice(0, kept).join('') + note;
}
