import { stripVTControlCharacters } from 'node:util';
import { parseExactly } from '../exact-json.ts';

/** What a program tells its worker by a line that begins with `::`. */
type ToldLine =
  | { kind: 'progress'; percentage: number | null; step: string | undefined; message: string | undefined }
  | { kind: 'checkpoint'; value: unknown }
  | { kind: 'retry-after'; seconds: number }
  | { kind: 'debug' | 'warn' | 'error'; message: string };

/** Explains these lines in the help of a command. */
export const toldLinesHelp = `
Lines that the command writes on stdout or stderr, and that are part of neither output nor log:
  ::progress 40 step message    how far it is in percent, or -; a step of one word and a message, both as you like
  ::checkpoint JSON             for the next attempt, which finds it in $LONGHAUL_CHECKPOINT
  ::retry-after 30              seconds before the next attempt, where this one fails
  ::warn text                   into the job's log as a warning; ::error and ::debug, too`;

/** The text of a line: without its end, without what colours a terminal, and without NUL, which no log takes. */
export function lineText(bytes: Buffer): string {
  return stripVTControlCharacters(bytes.toString('utf8')).replaceAll('\0', '').trimEnd();
}

/** @returns null for a line that tells the worker nothing */
export function readToldLine(line: string): ToldLine | null {
  const [, kind, rest = ''] = /^::(progress|checkpoint|retry-after|debug|warn|error) +(.+)$/.exec(line) ?? [];
  switch (kind) {
    case 'progress':
      return readProgress(rest);
    case 'checkpoint':
      return readCheckpoint(rest);
    case 'retry-after':
      return /^\d{1,5}$/.test(rest) && Number(rest) <= 86_400 ? { kind, seconds: Number(rest) } : null;
    case 'debug':
    case 'warn':
    case 'error':
      return { kind, message: rest };
    default:
      return null;
  }
}

function readProgress(text: string): ToldLine | null {
  const [, number, step, message] = /^(-|\d{1,3}(?:\.\d+)?)%?(?: +(\S+))?(?: +(.+))?$/.exec(text) ?? [];
  if (number === undefined || Number(number) > 100) return null;
  return { kind: 'progress', percentage: number === '-' ? null : Number(number), step, message };
}

function readCheckpoint(text: string): ToldLine | null {
  try {
    return { kind: 'checkpoint', value: parseExactly(text) };
  } catch (error) {
    return error instanceof RangeError ? { kind: 'warn', message: `A checkpoint was not saved: ${error.message}` } : null;
  }
}
