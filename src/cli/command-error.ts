import type { LonghaulError } from '@longhaul/client';
import { exitCodes } from './exit-codes.ts';
import { plainText } from './output/plain-text.ts';

/** Ends a command: the message says what to do, the code what a script is told. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.error) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The command was asked wrongly. */
export class UsageError extends CommandError {
  constructor(message: string) {
    super(message, exitCodes.usage);
  }
}

/** Of what `@longhaul/client` throws: these mean that another key is needed. */
const signInCodes = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED']);

/** The code of an error of Node or of `@longhaul/client`; null where it has none. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Tells on standard error why a command ended. @param about what it concerns, where that is not the whole command. @returns the code to exit with */
export function reportError(error: unknown, about?: string): number {
  const text = textOf(error);
  if (text !== '') process.stderr.write(`${about === undefined ? '' : `${about}: `}${plainText(text)}\n`);
  return exitCodeFor(error);
}

/** What a command exits with that ends by the error. */
export function exitCodeFor(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  return signInCodes.has(codeOf(error) ?? '') ? exitCodes.notSignedIn : exitCodes.error;
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CommandError) return error.message;
  const code = codeOf(error);
  if (code !== null && signInCodes.has(code)) {
    // Signing in changes nothing while the environment has the last word.
    const instead = process.env['LONGHAUL_KEY'] ? ' Set LONGHAUL_KEY to another key, or unset it.' : '';
    return `${error.message}${instead} Sign in: longhaul login`;
  }
  if (code === 'ERR_MODULE_NOT_FOUND' && error.message.includes('@longhaul/client')) {
    return 'The package @longhaul/client is not compiled. Run `npm ci` in the folder of Longhaul, without --omit=dev.';
  }
  // What is no expected outcome, such as Node's own ERR_…, keeps its stack: it is a fault of this program.
  if (code === null || code.startsWith('ERR_')) return error.stack ?? error.message;
  return [error.message, ...issuesOf(error)].join('\n');
}

/** Faults of an input that the sentence of the error leaves out: it often has all of them. */
function issuesOf(error: Error): string[] {
  if (!hasIssues(error)) return [];
  return error.issues.filter(({ message }) => !error.message.includes(message)).map(({ path, message }) => `  ${path.join('.')}: ${message}`);
}

function hasIssues(error: Error): error is LonghaulError {
  return 'issues' in error && Array.isArray(error.issues);
}
