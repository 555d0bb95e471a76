import { createInterface } from 'node:readline/promises';
import { CommandError, UsageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';

/** Asks at the terminal. @throws UsageError where there is none */
export async function askLine(question: string, usual: string): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError('There is no terminal to ask at: give the URL of the server as an argument, and the key on standard input.');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${question} [${usual}]: `)).trim() || usual;
  } finally {
    lines.close();
  }
}

/** Reads a secret: at a terminal without showing it, else the first line of standard input. Never from arguments, which every user of the machine may list. */
export async function askSecret(question: string): Promise<string> {
  const secret = process.stdin.isTTY ? await readHidden(question) : await readFirstLine();
  if (secret === '') throw new CommandError('No key was given.', exitCodes.usage);
  return secret;
}

async function readFirstLine(): Promise<string> {
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) {
    text += String(part);
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0]?.trim() ?? '';
}

const ctrlC = '\u0003';
const ctrlD = '\u0004';
const ctrlU = '\u0015';

async function readHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  // Before it asks, so that nothing that is typed at once is shown.
  stdin.setRawMode(true);
  stderr.write(`${question} (not shown): `);
  stdin.setEncoding('utf8').resume();
  const typed = Promise.withResolvers<string>();
  let secret = '';
  const read = (text: string) => {
    for (const letter of text) {
      if (letter === ctrlC) return typed.reject(new CommandError('', exitCodes.interrupted));
      if (letter === '\r' || letter === '\n' || letter === ctrlD) return typed.resolve(secret.trim());
      if (letter === ctrlU) secret = '';
      else if (letter === '\u007F' || letter === '\b') secret = secret.slice(0, -1);
      else if (letter >= ' ') secret += letter;
    }
  };
  stdin.on('data', read);
  try {
    return await typed.promise;
  } finally {
    stdin.off('data', read);
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}
