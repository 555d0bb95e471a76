import { HandlerError } from '../handler.ts';

const codeForm = /^[A-Za-z0-9_.:-]{1,100}$/;
const mostCharacters = 10_000;
const mostSeconds = 86_400;

/**
 * What a handler has thrown, as it is told of elsewhere: Fatal and Retryable of @longhaul/client/worker, known by their names, say what
 * follows; anything else is tried again.
 *
 * @param onBug told of what is neither
 */
export function failureOfThrown(error: unknown, onBug: (error: unknown) => void): HandlerError {
  if (error instanceof HandlerError) return error;
  const message = messageOf(error);
  const isMeant = error instanceof Error && (error.name === 'Fatal' || error.name === 'Retryable');
  if (!isMeant) {
    onBug(error);
    return new HandlerError('HANDLER_ERROR', message, { retryable: true, cause: error });
  }
  const code = 'code' in error && typeof error.code === 'string' && codeForm.test(error.code) ? error.code : 'HANDLER_ERROR';
  const after = 'after' in error && typeof error.after === 'number' && error.after >= 0 ? Math.min(mostSeconds, Math.ceil(error.after)) : null;
  return new HandlerError(code, message, { retryable: error.name === 'Retryable', retryAfterSeconds: after, cause: error });
}

/** A failure is told of in any case, so its text is made one that is taken. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return plain(text).slice(0, mostCharacters).toWellFormed() || 'The handler failed.';
}

/** Text that can be stored. */
export function plain(text: string): string {
  return text.toWellFormed().replaceAll('\0', '');
}
