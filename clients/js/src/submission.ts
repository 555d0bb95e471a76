import type { InputOf, Sendable } from './job-types.ts';
import type { Limits } from './limits.ts';
import { idempotencyKey } from './mutate.ts';
import type { TransferProgress } from './uploaded-file.ts';

/** What a job is created with, beside its input. */
export interface SubmitOptions extends Limits {
  tags?: readonly string[] | undefined;
  priority?: number | undefined;
  /** Not before. */
  runAt?: Date | string | undefined;
  webhookUrl?: string | undefined;
  /** The submitter's own name for the job; not unique. */
  clientReference?: string | undefined;
  /** Of the jobs with this key at most `concurrencyLimit` run at once. */
  concurrencyKey?: string | undefined;
  concurrencyLimit?: number | undefined;
  maxAttempts?: number | undefined;
  /** Made where not given, so that a lost answer makes no second job. Give one to make none across restarts of your own. */
  idempotencyKey?: string | undefined;
  /** Of each file in the input. */
  onUploadProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** One of many jobs. */
export type Submission<Jobs> = {
  [Type in keyof Jobs & string]: { type: Type; input: Sendable<InputOf<Jobs, Type>> } & Omit<SubmitOptions, keyof Limits>;
}[keyof Jobs & string];

/** As the server takes it. */
export function requestOf(type: string, input: unknown, options: SubmitOptions): object {
  const { signal: _signal, timeout: _timeout, onAbort: _onAbort, onUploadProgress: _onUploadProgress, ...asked } = options;
  return { ...asked, idempotencyKey: asked.idempotencyKey ?? idempotencyKey(), type, input };
}
