import type { LogLevel } from '../job.ts';
import type { StandardSchema } from '../job-types.ts';
import { Fatal } from './outcome.ts';

/** Why an attempt is to stop: its signal's `reason`. */
export type StopReason = 'CANCELLED' | 'LEASE_LOST' | 'TIMEOUT' | 'DRAIN';

/** A file that the input names. */
export interface OpenedFile {
  filename: string;
  mediaType: string;
  bytes: number;
  /** Goes on by itself where a connection breaks, and fails at its end where it is not the file that was stored (CHECKSUM_MISMATCH). */
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  blob(): Promise<Blob>;
}

/** What a handler's run is given. */
export interface Run<Input> {
  input: Input;
  /** Aborted when the attempt is over, with a StopReason as its reason: stop then. */
  signal: AbortSignal;
  /** Tells how far it is. Returns at once: the newest is sent when the one before has arrived. */
  progress(percentage: number | null, message?: string, step?: string): void;
  /** Writes into the job's log. Returns at once: lines are sent together. */
  log: Record<'debug' | 'info' | 'warn' | 'error', (message: string, fields?: Record<string, unknown>) => void>;
  files: {
    /** @param reference as it stands in the input: `upload:…` */
    open(reference: string): Promise<OpenedFile>;
    /** Sends a result file. Of several the first is the main one. @param name unique in the job, for example `video` */
    save(name: string, content: Blob | AsyncIterable<Uint8Array> | Uint8Array | string, about?: { filename?: string; mediaType?: string }): Promise<void>;
  };
  /** 1 for the first. */
  attempt: number;
  checkpoint: {
    /** What the last attempt saved; null where none did. */
    readonly last: unknown;
    /** For the next attempt, at most 65,536 bytes as JSON. Returns at once, sent like progress. */
    save(value: unknown): void;
  };
  jobId: string;
}

export interface Handler<Input = unknown, Output = unknown> {
  type: string;
  input?: StandardSchema<unknown, Input> | undefined;
  output?: StandardSchema<unknown, Output> | undefined;
  run(run: Run<Input>): Promise<Output> | Output;
  /** Terms of the type, where the server registers it from here (HANDLERS). */
  credits?: number | undefined;
  timeoutSeconds?: number | undefined;
  maxAttempts?: number | undefined;
  leaseSeconds?: number | undefined;
  /** JSON Schema of the input, beside a schema that cannot say it. */
  inputSchema?: Record<string, unknown> | undefined;
}

type InputBy<Schema> = Schema extends StandardSchema ? NonNullable<Schema['~standard']['types']>['output'] : Record<string, unknown>;
type OutputBy<Schema> = Schema extends StandardSchema ? NonNullable<Schema['~standard']['types']>['input'] : unknown;

/** A handler of one type of job. Its schemas say what `run` gets and gives, and check both. */
export function defineHandler<const In extends StandardSchema | undefined = undefined, const Out extends StandardSchema | undefined = undefined>(
  handler: Omit<Handler, 'input' | 'output' | 'run'> & {
    input?: In;
    output?: Out;
    run(run: Run<InputBy<In>>): Promise<OutputBy<Out>> | OutputBy<Out>;
  },
): Handler {
  // What its schemas let through is what it runs with.
  return handler as unknown as Handler;
}

/** A value as its schema lets it through. @throws Fatal with the code */
export async function checked(schema: StandardSchema | undefined, value: unknown, code: string): Promise<unknown> {
  if (schema === undefined) return value;
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const told = result.issues.map(({ message, path = [] }) => [path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'), message].filter((text) => text !== '').join(': '));
  throw new Fatal(code, told.slice(0, 5).join('; '));
}

export type LogLine = { level: LogLevel; message: string; at: string; fields?: Record<string, unknown> };
