import type { Command } from 'commander';
import { connectTo, withServerOptions } from '../connect.ts';
import { type PrintOptions, printRecord, withPrintOptions } from '../output/print-list.ts';
import { askCaller } from './caller-query.ts';
import type { ServerChoice } from './choose-server.ts';

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command)).action(show);
}

async function show(options: ServerChoice & PrintOptions): Promise<void> {
  const { client, server } = await connectTo(options);
  const { workspace, scopes, apiKey, expiresAt } = await askCaller(client);
  const key = apiKey === null ? 'an access token' : `${apiKey.name} (${apiKey.prefix}…)`;
  const shown = { url: server.url, context: server.context, workspace: workspace.name, workspaceId: workspace.id, scopes, key, expiresAt };
  printRecord(shown, { columns: { url: null, context: null, workspace: null, workspaceId: null, scopes: null, key: null, expiresAt: null }, id: 'workspaceId' }, options);
}
