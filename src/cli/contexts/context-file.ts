import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { codeOf, CommandError } from '../command-error.ts';

/** A server, and the key that was given for it. */
export interface Context {
  name: string;
  /** Base URL of the installation. */
  url: string;
  key: string;
}

/** The servers that one is signed in to. */
export interface Contexts {
  /** Name of the one in use. */
  current: string | null;
  contexts: Context[];
}

/** It holds keys, so that it is its owner's alone. */
const mode = 0o600;

/** Where contexts are kept, by the XDG base directories. */
export function contextFile(env: NodeJS.ProcessEnv = process.env): string {
  const folder = env['XDG_CONFIG_HOME'];
  // A relative path there is to be ignored, says the specification.
  return join(folder?.startsWith('/') === true ? folder : join(homedir(), '.config'), 'longhaul', 'contexts.json');
}

/** @throws CommandError when others may read the file, or when it is none of ours */
export async function readContexts(): Promise<Contexts> {
  const file = contextFile();
  let text: string;
  try {
    if (((await stat(file)).mode & 0o077) !== 0) throw new CommandError(`${file} holds keys, and others may read it. Run: chmod 600 ${file}`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { current: null, contexts: [] };
    throw error;
  }
  const contexts = parse(text);
  if (contexts === null) throw new CommandError(`${file} cannot be read as contexts. Remove it, and sign in again: longhaul login`);
  return contexts;
}

export async function writeContexts(contexts: Contexts): Promise<void> {
  const file = contextFile();
  const fresh = `${file}.${process.pid}`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(fresh, `${JSON.stringify(contexts, null, 2)}\n`, { mode, flag: 'wx' });
    // The mode of a new file is cut by the umask alone; said again, it is exactly this.
    await chmod(fresh, mode);
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

function parse(text: string): Contexts | null {
  try {
    const { current, contexts }: { current?: unknown; contexts?: unknown } = JSON.parse(text);
    if (!Array.isArray(contexts) || !contexts.every(isContext)) return null;
    return { current: typeof current === 'string' ? current : null, contexts };
  } catch {
    return null;
  }
}

function isContext(value: unknown): value is Context {
  return typeof value === 'object' && value !== null && ['name', 'url', 'key'].every((name) => typeof Reflect.get(value, name) === 'string');
}
