import { createLog } from '../server/json-log.ts';

/**
 * Tells the operator something that no LOG_LEVEL hides: the text on a terminal; elsewhere, where standard output is the log,
 * the same facts as one line of it.
 */
export function tell(text: string, facts: object, message: string): void {
  if (process.stdout.isTTY) process.stdout.write(`${text}\n`);
  else createLog('info').info(facts, message);
}
