import type { LogLine } from './handler.ts';
import { Fatal } from './outcome.ts';
import { fit } from './text.ts';

/** Bytes of a checkpoint as JSON. */
const mostCheckpointBytes = 65_536;

/** How far an attempt is, as the server takes it: of a report that is refused nothing arrives, a checkpoint beside it neither. */
export function reportOf(percentage: number | null, message?: string, step?: string): { percentage: number | null; message?: string; step?: string } {
  return {
    percentage: typeof percentage === 'number' ? Math.min(100, Math.max(0, percentage)) : percentage,
    ...(message === undefined ? {} : { message: fit(message, 2_000) }),
    ...(step === undefined ? {} : { step: fit(step, 200) }),
  };
}

/** What a handler saves for the next attempt, as it is now: it may go on changing its own. @throws Fatal */
export function checkpointOf(value: unknown): unknown {
  const text = asJson(value, 'INVALID_CHECKPOINT');
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= mostCheckpointBytes) return JSON.parse(text);
  throw new Fatal('INVALID_CHECKPOINT', `It has ${bytes} bytes as JSON; the limit is ${mostCheckpointBytes}. Save where the rest is to be found.`);
}

/** A line as it is now. It never holds up a job: fields that are no JSON are left out. */
export function lineOf(level: LogLine['level'], message: string, fields?: Record<string, unknown>): LogLine {
  const line = { level, message: fit(message), at: new Date().toISOString() };
  try {
    return fields === undefined ? line : { ...line, fields: JSON.parse(JSON.stringify(fields)) };
  } catch {
    return line;
  }
}

/** As JSON; null where JSON leaves it out. @throws Fatal with the code */
export function asJson(value: unknown, code: string): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (cause) {
    throw new Fatal(code, `It is no JSON: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
}
