import { pino, stdSerializers, type DestinationStream, type LevelWithSilent } from 'pino';
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
 * level. Message texts are not, so never put a secret there. Of errors of the database nothing is logged that may hold rows.
 */
export function createLog(level: LogLevel, destination: DestinationStream = standardOutput()): Log {
  const paths = depths.flatMap((depth) => secretNames.map((name) => `${depth}["${name}"]`));
  return pino({ level, redact: { paths, censor: '[redacted]' }, serializers: { err: withoutRows } }, destination);
}

/** What errors of the database have of rows, and of statements with their values, which are jobs' inputs, too. */
const ofRows: ReadonlySet<string> = new Set(['detail', 'where', 'query', 'internalQuery', 'params', 'queryOptions']);

function withoutRows(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const details = detailsIn(error);
  // MikroORM puts the detail into the message, and so into the stack.
  const short = (text: string) => details.reduce((left, detail) => left.replaceAll(detail, '…'), text);
  const logged = Object.entries(stdSerializers.err(error)).filter(([key]) => !ofRows.has(key));
  return Object.fromEntries(logged.map(([key, value]: [string, unknown]) => [key, key === 'message' || key === 'stack' ? short(String(value)) : value]));
}

/** Also in what the error was caused by, whose text is in its stack. */
function detailsIn(error: Error): string[] {
  const own = 'detail' in error && typeof error.detail === 'string' && error.detail !== '' ? [error.detail] : [];
  return error.cause instanceof Error ? [...own, ...detailsIn(error.cause)] : own;
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
