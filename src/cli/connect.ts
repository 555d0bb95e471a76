import type { Client } from '@longhaul/client';
import type { Command } from 'commander';
import { chooseServer, type ChosenServer, type ServerChoice } from './contexts/choose-server.ts';
import { readContexts } from './contexts/context-file.ts';
import { guardedFetch } from './guarded-fetch.ts';

/** Gives a command the options by which its server is chosen. */
export function withServerOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the server to ask, where it is not that of the current context')
    .option('--context <name>', 'the context whose server and key to use');
}

/** A client of the server that the options, the environment or the current context name. */
export async function connect(choice: ServerChoice): Promise<Client> {
  return (await connectTo(choice)).client;
}

/** The same, and what was chosen. */
export async function connectTo(choice: ServerChoice): Promise<{ client: Client; server: ChosenServer }> {
  const server = chooseServer(choice, process.env, await readContexts());
  return { client: await clientOf(server), server };
}

export async function clientOf({ url, key }: Pick<ChosenServer, 'url' | 'key'>): Promise<Client> {
  // Loaded here, so that a command's help does without.
  const { createClient } = await import('@longhaul/client');
  return createClient({ url, auth: key, fetch: guardedFetch(url) });
}
