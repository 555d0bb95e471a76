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

/** As it is told to the server. Anything that is thrown but the two above is tried again. */
export function failureOf(error: unknown): { code: string; message: string; retryable: boolean; retryAfterSeconds?: number } {
  if (error instanceof Fatal) return { code: error.code, message: error.message, retryable: false };
  if (error instanceof Retryable) {
    const { code, message, after } = error;
    return { code, message, retryable: true, ...(after === null ? {} : { retryAfterSeconds: after }) };
  }
  return { code: 'HANDLER_ERROR', message: (error instanceof Error ? error.message : String(error)) || 'The handler failed.', retryable: true };
}
