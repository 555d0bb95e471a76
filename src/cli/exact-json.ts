import { UsageError } from './command-error.ts';

/** @param what the text is, for the message. @throws UsageError where it is no JSON, or has a number that reading would change */
export function readJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
      const isChanged = typeof value === 'number' && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)));
      if (isChanged) throw new UsageError(`${what}: ${context?.source ?? value} is beyond ±${Number.MAX_SAFE_INTEGER}, which readers of JSON round. Send it as a string.`);
      return value;
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${what} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
