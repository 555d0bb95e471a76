import { pino, type DestinationStream, type LevelWithSilent } from 'pino';
import type { Log } from '../log.ts';

export type LogLevel = LevelWithSilent;

/** Fields whose value is never written. Node writes header names in lower case. */
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

/** The field itself, in an object (`headers`), in an object of an object (`req.headers`). A line costs 5 µs each. */
const depths = ['', '*', '*.*'];

/**
 * A log of JSON lines, to the standard output unless told otherwise. The value of a field with the name of a secret is
 * replaced, down to the third level; the text of a message is not looked into, so never put a secret there.
 */
export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  const paths = depths.flatMap((depth) => secretNames.map((name) => `${depth}["${name}"]`));
  const options = { level, redact: { paths, censor: '[redacted]' } };
  return destination ? pino(options, destination) : pino(options);
}
