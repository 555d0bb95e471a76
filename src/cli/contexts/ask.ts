import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError, UsageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';

/** Asks at the terminal. @throws UsageError where there is none */
export async function askLine(question: string, usual: string): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError('There is no terminal to ask at: give the URL of the server as an argument, and the key on standard input.');
  return (await typed(`${question} [${usual}]: `)) || usual;
}

/** Reads a secret: at a terminal without showing it, else the first line of standard input. Never from arguments, which every user of the machine may list. */
export async function askSecret(question: string): Promise<string> {
  const secret = process.stdin.isTTY ? await typedUnseen(`${question} (not shown): `) : await firstLine();
  if (secret === '') throw new UsageError('Nothing was given.');
  return secret;
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line.trim();
  return '';
}

async function typedUnseen(question: string): Promise<string> {
  // Echoes and the question go nowhere; what is typed can be edited as ever.
  const unseen = new Writable({ write: (_part, _encoding, done) => done() });
  try {
    return await typed('', { output: unseen, terminal: true, onReady: () => process.stderr.write(question) });
  } finally {
    process.stderr.write('\n');
  }
}

/** A line that is typed. @throws CommandError at Ctrl-C or Ctrl-D */
async function typed(
  question: string,
  { output = process.stderr, onReady = () => {}, ...options }: { output?: NodeJS.WritableStream; terminal?: boolean; onReady?: () => void } = {},
): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, historySize: 0, ...options });
  // From here on the terminal echoes nothing by itself.
  onReady();
  const left = new AbortController();
  lines.on('SIGINT', () => left.abort()).on('close', () => left.abort());
  try {
    return (await lines.question(question, { signal: left.signal })).trim();
  } catch (error) {
    throw left.signal.aborted ? new CommandError('', exitCodes.interrupted) : error;
  } finally {
    lines.close();
  }
}
