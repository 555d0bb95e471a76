import { HandlerError } from '../handler.ts';
import type { Ended } from './program.ts';
import { ScratchFullError } from './scratch-full.ts';

/** Why a program has not done what it was to do. Its words are in the job's log. */
export function failureOf({ code, late, log }: Ended, what: string): Error {
  if (late) return new HandlerError('MEDIA_TIMEOUT', `${what} took too long. Use a shorter or smaller source, or ask for less.`, { retryable: false });
  if (log.some((line) => line.includes('No space left on device'))) return new ScratchFullError(null);
  // Killed, by whom we do not know: for want of memory, most likely.
  if (code === null || code > 128) return new HandlerError('MEDIA_FAILED', `${what} was broken off. Try again, or use a smaller source.`, { retryable: true });
  return new HandlerError('MEDIA_FAILED', `${what} failed. The job's log has what ffmpeg says; the source may be damaged.`, { retryable: false });
}

export function tooLargeOutput(maxBytes: number): HandlerError {
  return new HandlerError('OUTPUT_TOO_LARGE', `The result would be larger than the limit of ${maxBytes} bytes. Ask for a smaller picture, a lower quality or a part.`, { retryable: false });
}
