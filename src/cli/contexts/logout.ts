import type { Command } from 'commander';
import { CommandError, UsageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { readContexts, writeContexts } from './context-file.ts';

export function declare(command: Command): void {
  command
    .argument('[context]', 'the one to forget; the current one where not given')
    .addHelpText('after', '\nThe key goes on being good. To end it: longhaul keys revoke')
    .action(logout);
}

async function logout(given: string | undefined): Promise<void> {
  const { current, contexts } = await readContexts();
  const name = given ?? current;
  if (name === null) throw new CommandError('You are not signed in.', exitCodes.notSignedIn);
  const others = contexts.filter((one) => one.name !== name);
  if (others.length === contexts.length) throw new UsageError(`There is no context ${name}. longhaul context list shows those that there are.`);
  const left = name === current ? null : current;
  await writeContexts({ current: left, contexts: others });
  process.stderr.write(`The key of ${name} is forgotten.${left === null && others.length > 0 ? ' Choose another: longhaul context use NAME' : ''}\n`);
}
