import { NotFoundError } from '../errors.ts';
import { checked, type Handler, type LogLine, type StopReason } from '../worker/handler.ts';
import { failureOf } from '../worker/outcome.ts';
import { asJson, checkpointOf, lineOf, reportOf } from '../worker/told.ts';

export interface RunOptions {
  /** The signal is aborted as soon as progress reaches this percentage; 0 is before the handler begins. */
  abortAt?: number | undefined;
  /** The signal's reason; CANCELLED where not given. */
  abortReason?: StopReason | undefined;
  /** 1 where not given. */
  attempt?: number | undefined;
  /** What the attempt before saved. */
  checkpoint?: unknown;
  /** Files that the input names, by reference. */
  files?: Readonly<Record<string, Blob>> | undefined;
}

export interface SavedFile {
  name: string;
  filename: string;
  mediaType: string;
  content: Blob;
}

/** All that a run told and left, and how the attempt would have ended. */
export interface RanHandler<Output = unknown> {
  /** `stopped` after an abort: nothing is sent then, or the job handed back. */
  outcome: 'completed' | 'failed' | 'stopped';
  /** Set when completed. */
  output: Output | null;
  /** As the server would be told; null unless it failed. */
  error: { code: string; message: string; retryable: boolean; retryAfterSeconds?: number } | null;
  reports: { percentage: number | null; message?: string; step?: string }[];
  logs: Pick<LogLine, 'level' | 'message' | 'fields'>[];
  files: SavedFile[];
  checkpoints: unknown[];
}

/** Runs a handler without a server, as a worker would run one attempt. */
export async function runHandler<Output = unknown>(handler: Handler, input: unknown, options: RunOptions = {}): Promise<RanHandler<Output>> {
  const { abortAt, abortReason = 'CANCELLED', attempt = 1, checkpoint = null, files = {} } = options;
  const told: RanHandler<Output> = { outcome: 'completed', output: null, error: null, reports: [], logs: [], files: [], checkpoints: [] };
  const stop = new AbortController();
  if (abortAt !== undefined && abortAt <= 0) stop.abort(abortReason);
  const line = (level: LogLine['level']) => (message: string, fields?: Record<string, unknown>) => {
    const { at: _, ...shown } = lineOf(level, message, fields);
    told.logs.push(shown);
  };
  try {
    const given = await handler.run({
      input: await checked(handler.input, input, 'INVALID_INPUT'),
      attempt,
      jobId: 'job_00000000-0000-7000-8000-000000000000',
      signal: stop.signal,
      progress: (percentage, message, step) => {
        told.reports.push(reportOf(percentage, message, step));
        if (abortAt !== undefined && percentage !== null && percentage >= abortAt) stop.abort(abortReason);
      },
      log: { debug: line('DEBUG'), info: line('INFO'), warn: line('WARN'), error: line('ERROR') },
      checkpoint: { last: checkpoint, save: (value) => void told.checkpoints.push(checkpointOf(value)) },
      files: {
        open: async (reference) => {
          const file = files[reference];
          if (file === undefined) throw new NotFoundError({ code: 'NOT_FOUND', message: `The input names no file ${reference}. Give it to runHandler in files.` });
          return { filename: file instanceof File ? file.name : 'file', mediaType: file.type, bytes: file.size, stream: file.stream(), blob: async () => file };
        },
        save: async (name, content, { filename = name, mediaType } = {}) => {
          const whole = await wholeOf(content);
          told.files.push({ name, filename, mediaType: mediaType ?? (whole.type || 'application/octet-stream'), content: whole });
        },
      },
    });
    // Its schema has let it through.
    const output = (await checked(handler.output, given, 'INVALID_OUTPUT')) as Output;
    asJson(output, 'INVALID_OUTPUT');
    return stop.signal.aborted ? { ...told, outcome: 'stopped' } : { ...told, output: output ?? null };
  } catch (error) {
    return stop.signal.aborted ? { ...told, outcome: 'stopped' } : { ...told, outcome: 'failed', error: failureOf(error) };
  }
}

async function wholeOf(content: Blob | AsyncIterable<Uint8Array> | Uint8Array | string): Promise<Blob> {
  if (content instanceof Blob) return content;
  if (typeof content === 'string') return new Blob([content]);
  if (content instanceof Uint8Array) return new Blob([new Uint8Array(content)]);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of content) parts.push(new Uint8Array(part));
  return new Blob(parts);
}
