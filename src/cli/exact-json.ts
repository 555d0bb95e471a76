import { UsageError } from './command-error.ts';

/** A JSON value, of which nothing is changed. @throws SyntaxError; RangeError where a number in it would be rounded */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const isRounded = typeof value === 'number' && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)));
    if (isRounded) throw new RangeError(`${context?.source ?? value} is beyond ±${Number.MAX_SAFE_INTEGER}, which readers of JSON round. Make it a string.`);
    return value;
  });
}

/** The same of what was typed. @param what the text is, for the message. @throws UsageError */
export function readJson(text: string, what: string): unknown {
  try {
    return parseExactly(text);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`${what}: ${error.message}`);
    throw new UsageError(`${what} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
