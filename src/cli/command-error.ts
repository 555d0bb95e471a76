import { exitCodes } from './exit-codes.ts';

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

/** Tells on standard error why a command ended. @returns the code to exit with */
export function reportError(error: unknown): number {
  const { text, exitCode } = explain(error);
  if (text !== '') process.stderr.write(`${text}\n`);
  return exitCode;
}

function explain(error: unknown): { text: string; exitCode: number } {
  if (error instanceof CommandError) return { text: error.message, exitCode: error.exitCode };
  if (!(error instanceof Error)) return { text: String(error), exitCode: exitCodes.error };
  const code = 'code' in error ? String(error.code) : null;
  if (code !== null && signInCodes.has(code)) return { text: `${error.message} Sign in: longhaul login`, exitCode: exitCodes.notSignedIn };
  if (code === 'ERR_MODULE_NOT_FOUND' && error.message.includes('@longhaul/client')) {
    return { text: 'The package @longhaul/client is not compiled. Run `npm ci` in the folder of Longhaul, without --omit=dev.', exitCode: exitCodes.error };
  }
  // What is no expected outcome keeps its stack: it is a fault of this program.
  const isExpected = code !== null;
  return { text: isExpected ? error.message : (error.stack ?? error.message), exitCode: exitCodes.error };
}
