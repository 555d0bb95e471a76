import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';

/** `-o` of a command. Its place is looked at before anything is created: a result of hours must not find it missing. */
export function outputOption(): Option {
  const help = 'download the result file there; all of them, under their own names, where it is a folder or ends with /';
  return new Option('-o, --output <file>', help).argParser(writable);
}

/** Whether the result files go into it, under their own names. */
export function isFolder(output: string): boolean {
  return output.endsWith('/') || isDirectory(output);
}

function writable(output: string): string {
  let folder = isFolder(output) ? resolve(output) : dirname(resolve(output));
  // One that ends with / is made where it is missing.
  while (isFolder(output) && !existsSync(folder)) folder = dirname(folder);
  if (!isDirectory(folder)) throw new InvalidArgumentError(`${folder} is no folder. Create it, or name another.`);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new InvalidArgumentError(`Nothing can be written in ${folder}. Name another folder.`);
  }
  return output;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
