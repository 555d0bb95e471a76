import { codeOf, reportError } from './command-error.ts';
import { onInterruption } from './interruption.ts';

/** What concerns the key or the connection befalls the rest, too. */
const generalCodes = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'FORBIDDEN', 'CONNECTION', 'UNAVAILABLE', 'RATE_LIMITED', 'NOT_LONGHAUL', 'REDIRECTED']);

/**
 * Does it to each, one after the other. Tells of each to which it could not be done, goes on with the next, and lets the process exit with
 * the worst of the codes. Only what would befall the rest, too, ends it early: then it tells what was not tried.
 *
 * @returns what was done, for the command to print whatever came after it
 */
export async function actOnEach<Done>(ids: readonly string[], act: (id: string, signal: AbortSignal) => Promise<Done>): Promise<Done[]> {
  using interruption = onInterruption();
  const { signal } = interruption;
  const done: Done[] = [];
  const left = new Set(ids);
  let exitCode = Number(process.exitCode ?? 0);
  for (const id of left) {
    if (signal.aborted) break;
    left.delete(id);
    try {
      done.push(await act(id, signal));
    } catch (error) {
      if (signal.aborted) process.stderr.write(`${id}: interrupted, and may have been done nevertheless.\n`);
      else exitCode = Math.max(exitCode, reportError(error, id));
      if (befallsAll(error)) break;
    }
  }
  process.exitCode = signal.aborted ? interruption.exitCode : exitCode;
  if (left.size > 0) process.stderr.write(`Not tried: ${[...left].join(' ')}\n`);
  return done;
}

function befallsAll(error: unknown): boolean {
  const code = codeOf(error);
  return code === null || code.startsWith('ERR_') || generalCodes.has(code);
}
