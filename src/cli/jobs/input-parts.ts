import { readFile } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { UsageError } from '../command-error.ts';
import { readJson } from '../exact-json.ts';

/** Explains `-i` in the help of a command. */
export const inputHelp = `
Input, each part over what the parts before it say:
  -i key=text         a text; a dot steps into an object: -i crop.preset=square
  -i key:=json        any JSON: -i seconds:=3 -i 'langs:=["de","fr"]'
  -i @file.json       a JSON object from a file, or with -i - from standard input`;

/** The input that the parts make. @param signal ends the wait for standard input @throws UsageError */
export async function readInput(parts: readonly string[], signal?: AbortSignal): Promise<Record<string, unknown>> {
  const input: Record<string, unknown> = {};
  for (const part of parts) {
    if (part === '-') Object.assign(input, objectIn(await text(signal === undefined ? process.stdin : addAbortSignal(signal, process.stdin)), 'Standard input'));
    else if (part.startsWith('@')) Object.assign(input, objectIn(await fileText(part.slice(1)), part.slice(1)));
    else readPair(input, part);
  }
  return input;
}

/** Puts a value at a path such as `crop.preset`. @throws UsageError where something else than an object is in the way */
export function putAt(input: Record<string, unknown>, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let target = input;
  for (const name of names) {
    const next = Object.hasOwn(target, name) ? target[name] : {};
    if (!isObject(next)) throw new UsageError(`${path}: ${name} is no object already.`);
    define(target, name, next);
    target = next;
  }
  define(target, last, value);
}

/** Defined rather than assigned, so that `__proto__` is a name like any other. */
function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}

function readPair(input: Record<string, unknown>, pair: string): void {
  const [, path, mark, value = ''] = /^([^=]*?)(:?=)([\s\S]*)$/.exec(pair) ?? [];
  if (path === undefined || path === '') throw new UsageError(`-i ${pair} is none of key=text, key:=json, @file and -.`);
  putAt(input, path, mark === ':=' ? readJson(value, `The value of ${path}`) : value);
}

async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function objectIn(json: string, what: string): object {
  const value = readJson(json, what);
  if (!isObject(value)) throw new UsageError(`${what} is no JSON object, as an input has to be.`);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
