import { setTimeout as delay } from 'node:timers/promises';
import { describeIssue } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json.ts';
import { mostFieldBytes } from '../../jobs/logs/append.ts';
import { maxCheckpointBytes } from '../../jobs/progress/checkpoints.ts';
import type { Log } from '../../log.ts';
import { type Attempt, AttemptOver, type Handler, HandlerError } from '../handler.ts';
import { AttemptFiles } from './attempt-files.ts';
import { issuesOf, type OwnHandler, type OwnRun, type StandardSchema } from './own-handler.ts';
import { failureOfThrown, plain } from './thrown.ts';

interface Tools {
  /** Of one file. */
  maxBytes: number;
  /** A job's id as clients know it. */
  shownId: (uuid: string) => string;
  log: Log;
}

/** So long a handler may go on after it was told DRAIN, in milliseconds. */
const drainMilliseconds = 2_000;

/** Runs a handler of the installation's own as a worker elsewhere runs it: the same context, reasons and codes. */
export function createOwnHandler(handler: OwnHandler, { maxBytes, shownId, log }: Tools): Handler {
  return async (attempt) => {
    const told = new AbortController();
    const stop = () => told.abort(attempt.signal.reason instanceof AttemptOver ? attempt.signal.reason.by : 'DRAIN');
    attempt.signal.addEventListener('abort', stop, { once: true });
    if (attempt.signal.aborted) stop();
    const files = new AttemptFiles(attempt, maxBytes);
    try {
      const input = await checked(handler.input, attempt.job.input, 'INVALID_INPUT');
      const run = { ...contextOf(attempt, await attempt.checkpoint()), input, signal: told.signal, files: files.forHandler, jobId: shownId(attempt.job.id) };
      const given = await orDrained(Promise.resolve().then(() => handler.run(run)), told.signal);
      const output = await checked(handler.output, given, 'INVALID_OUTPUT');
      return { output: asJson(output, 'INVALID_OUTPUT'), artifacts: await files.saved() };
    } catch (error) {
      // The runner knows what the attempt's end means, and hands back what cannot be stored now.
      if (attempt.signal.aborted) throw error;
      throw files.unstored ?? failureOfThrown(error, (bug) => log.error({ err: attempt.loggable(bug), jobId: attempt.job.id, type: handler.type }, 'a handler threw'));
    } finally {
      attempt.signal.removeEventListener('abort', stop);
      files.close();
    }
  };
}

function contextOf(attempt: Attempt, last: JsonValue): Pick<OwnRun, 'attempt' | 'progress' | 'log' | 'checkpoint'> {
  const { log } = attempt;
  const line = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: Record<string, unknown>) =>
    log[level](plain(String(message)), fields === undefined ? undefined : fieldsOf(fields));
  return {
    attempt: attempt.job.attempt,
    progress: (percentage, message, step) =>
      attempt.report({ percentage, ...(message === undefined ? {} : { message }), ...(step === undefined ? {} : { step }) }),
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    checkpoint: { last, save: (value) => void attempt.keep(checkpointOf(value)) },
  };
}

/** A value as its schema lets it through. @throws HandlerError with the code */
async function checked(schema: StandardSchema | undefined, value: unknown, code: string): Promise<unknown> {
  if (schema === undefined) return value;
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  throw new HandlerError(code, issuesOf(result).slice(0, 5).map(describeIssue).join('; ') || 'It does not match its schema.', { retryable: false });
}

/** A value as it would have come over the wire. @throws HandlerError with the code */
function asJson(value: unknown, code: string): JsonValue {
  try {
    const text: string | undefined = JSON.stringify(value);
    return text === undefined ? null : JSON.parse(text);
  } catch (cause) {
    throw new HandlerError(code, `It is no JSON: ${cause instanceof Error ? cause.message : String(cause)}.`, { retryable: false, cause });
  }
}

/** @throws HandlerError */
function checkpointOf(value: unknown): JsonValue {
  const checkpoint = asJson(value, 'INVALID_CHECKPOINT');
  const bytes = bytesOf(checkpoint);
  if (bytes <= maxCheckpointBytes) return checkpoint;
  throw new HandlerError('INVALID_CHECKPOINT', `It has ${bytes} bytes as JSON; the limit is ${maxCheckpointBytes}.`, { retryable: false });
}

/** Lines never hold up a job: fields that are no JSON, or too large, are left out. */
function fieldsOf(fields: Record<string, unknown>): JsonObject | undefined {
  try {
    const value = asJson(fields, '');
    return isJsonObject(value) && bytesOf(value) <= mostFieldBytes ? value : undefined;
  } catch {
    return undefined;
  }
}

function bytesOf(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Waits for a handler; not for long for one that is told DRAIN and goes on, so that its job is handed back in time. */
async function orDrained(running: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  const ended = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const drained = () => {
    if (signal.reason !== 'DRAIN') return;
    delay(drainMilliseconds, undefined, { signal: ended.signal }).then(() => reject(new Error('The handler went on after DRAIN.')), () => undefined);
  };
  signal.addEventListener('abort', drained, { once: true });
  if (signal.aborted) drained();
  try {
    return await Promise.race([running, promise]);
  } finally {
    signal.removeEventListener('abort', drained);
    ended.abort();
  }
}
