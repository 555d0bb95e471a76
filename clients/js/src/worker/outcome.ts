import { fit } from './text.ts';

/** Thrown by a handler: this attempt failed, and another may do better. */
export class Retryable extends Error {
  override readonly name = 'Retryable';
  readonly code: string;
  /** Seconds before the next attempt; null leaves it to the server. */
  readonly after: number | null;

  constructor({ after, code = 'HANDLER_ERROR', message = 'The handler asks for another attempt.', cause }: { after?: number; code?: string; message?: string; cause?: unknown } = {}) {
    super(message, { cause });
    this.code = code;
    this.after = after ?? null;
  }
}

/** Thrown by a handler: the job has failed, whatever attempts are left. */
export class Fatal extends Error {
  override readonly name = 'Fatal';
  readonly code: string;

  constructor(code: string, message = 'The handler gave up.', options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const codeForm = /^[A-Za-z0-9_.:-]{1,100}$/;
const mostCharacters = 10_000;
const mostSeconds = 86_400;

/**
 * As it is told to the server. Anything that is thrown but the two above is tried again. What the server would refuse is made fit: an
 * attempt whose end is not told goes on until its lease expires.
 */
export function failureOf(error: unknown): { code: string; message: string; retryable: boolean; retryAfterSeconds?: number } {
  const message = fit(error instanceof Error ? error.message : error, mostCharacters) || 'The handler failed.';
  if (!(error instanceof Fatal || error instanceof Retryable)) return { code: 'HANDLER_ERROR', message, retryable: true };
  const code = typeof error.code === 'string' && codeForm.test(error.code) ? error.code : 'HANDLER_ERROR';
  if (error instanceof Fatal) return { code, message, retryable: false };
  const { after } = error;
  return { code, message, retryable: true, ...(after !== null && after >= 0 ? { retryAfterSeconds: Math.min(mostSeconds, Math.ceil(after)) } : {}) };
}
