import type { Command } from 'commander';
import { UsageError } from '../command-error.ts';
import { readContexts, writeContexts } from './context-file.ts';

export function declare(command: Command): void {
  command.argument('<context>', 'its name, as context list shows it').action(use);
}

async function use(name: string): Promise<void> {
  const { contexts } = await readContexts();
  const context = contexts.find((one) => one.name === name);
  if (context === undefined) throw new UsageError(`There is no context ${name}. longhaul context list shows those that there are.`);
  await writeContexts({ current: name, contexts });
  process.stderr.write(`The commands to come ask ${context.url}.\n`);
}
