import type { ReadableStream } from 'node:stream/web';

/** A schema of any library that keeps to Standard Schema (standardschema.dev). */
export interface StandardSchema {
  readonly '~standard': {
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult | Promise<StandardResult>;
  };
}

type StandardResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined }[] };

/**
 * A handler as `defineHandler` of @longhaul/client/worker makes it, known by this shape alone: the server needs nothing of that package.
 */
export interface OwnHandler {
  type: string;
  input?: StandardSchema | undefined;
  output?: StandardSchema | undefined;
  run(run: OwnRun): unknown;
  credits?: number | undefined;
  timeoutSeconds?: number | undefined;
  maxAttempts?: number | undefined;
  leaseSeconds?: number | undefined;
  inputSchema?: Record<string, unknown> | undefined;
}

/** What `run` is given: the same as by a worker elsewhere. */
export interface OwnRun {
  input: unknown;
  /** Aborts with CANCELLED, TIMEOUT, LEASE_LOST or DRAIN as its reason. */
  signal: AbortSignal;
  progress(percentage: number | null, message?: string, step?: string): void;
  log: Record<'debug' | 'info' | 'warn' | 'error', (message: string, fields?: Record<string, unknown>) => void>;
  files: {
    open(reference: string): Promise<OpenedFile>;
    save(name: string, content: FileContent, about?: { filename?: string; mediaType?: string }): Promise<void>;
  };
  attempt: number;
  checkpoint: { readonly last: unknown; save(value: unknown): void };
  jobId: string;
}

export type FileContent = Blob | AsyncIterable<Uint8Array> | Uint8Array | string;

export interface OpenedFile {
  filename: string;
  mediaType: string;
  bytes: number;
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  blob(): Promise<Blob>;
}

export function isOwnHandler(value: unknown): value is OwnHandler {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'run' in value && typeof value.run === 'function';
}

/** The issues as lines of text, with paths of strings. */
export function issuesOf(result: Extract<StandardResult, { issues: object }>): { path: string[]; message: string }[] {
  return result.issues.map(({ message, path = [] }) => ({ path: path.map((part) => String(typeof part === 'object' ? part.key : part)), message }));
}
