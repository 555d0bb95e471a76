import { pino, type DestinationStream, type LevelWithSilent } from 'pino';
import type { Log } from '../log.ts';

export type LogLevel = LevelWithSilent;

/** Fields whose values are never logged. Node lowercases header names. */
const secretNames = [
  'authorization',
  'x-api-key',
  'cookie',
  'set-cookie',
  'password',
  'secret',
  'token',
  'leaseToken',
  'apiKey',
  'adminApiKey',
  'databaseUrl',
  'redisUrl',
];

/** Levels to redact: the field itself, in an object (`headers`), in a nested one (`req.headers`). Each costs 5 µs per line. */
const depths = ['', '*', '*.*'];

/**
 * Logs JSON lines, to standard output by default. Values of fields with a secret's name are redacted, down to the third
 * level. Message texts are not, so never put a secret there.
 */
export function createLog(level: LogLevel, destination: DestinationStream = standardOutput()): Log {
  const paths = depths.flatMap((depth) => secretNames.map((name) => `${depth}["${name}"]`));
  return pino({ level, redact: { paths, censor: '[redacted]' } }, destination);
}

/** Where it is gone, for example with its terminal, lines are lost and nothing else is. */
function standardOutput(): DestinationStream {
  const stream = pino.destination({ dest: 1, sync: true });
  stream.on('error', () => {
    stream.write = () => true;
    // It would try again and again, and nothing else in the process would have its turn.
    stream.flushSync = () => undefined;
  });
  return stream;
}
