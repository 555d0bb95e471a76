import type { Command } from 'commander';
import { clientOf } from '../connect.ts';
import { UsageError } from '../command-error.ts';
import { askLine, askSecret } from './ask.ts';
import { askCaller } from './caller-query.ts';
import { readUrl, usualUrl } from './choose-server.ts';
import { contextFile, readContexts, writeContexts } from './context-file.ts';

export function declare(command: Command): void {
  command
    .argument('[url]', 'of the server; asked for where not given')
    .option('--name <name>', 'of the context; the host where not given')
    .addHelpText('after', '\nThe key is asked for without being shown, or read from standard input: longhaul login URL < key.txt')
    .action(login);
}

/** Keeps a key for the server that it is given for, once the server has taken it. */
async function login(given: string | undefined, { name }: { name?: string }): Promise<void> {
  const url = readUrl(given ?? (await askLine('URL of the server', usualUrl)));
  if (name === '') throw new UsageError('The name of a context cannot be empty.');
  const key = await askSecret(`Key for ${url}`);
  const { workspace, scopes } = await askCaller(await clientOf({ url, key }));
  const known = await readContexts();
  const context = { name: name ?? new URL(url).host, url, key };
  await writeContexts({ current: context.name, contexts: [...known.contexts.filter((one) => one.name !== context.name), context] });
  process.stderr.write(`Signed in to ${url}: workspace ${workspace.name}, ${scopes.join(', ')}. The key is kept in ${contextFile()}\n`);
}
