import type { Command } from 'commander';
import { connectTo, withServerOptions } from '../connect.ts';
import { type PrintOptions, printRecord, type Shape, withPrintOptions } from '../output/print-list.ts';
import { askCaller } from './caller-query.ts';
import type { ServerChoice } from './choose-server.ts';

interface Shown {
  url: string;
  context: string | null;
  workspace: string;
  workspaceId: string;
  scopes: string[];
  key: string;
  expiresAt: string | null;
}

const shape: Shape<Shown> = {
  columns: { url: null, context: null, workspace: null, workspaceId: null, scopes: null, key: null, expiresAt: null },
  properties: { url: null, context: null, workspace: null, workspaceId: null, scopes: 'any', key: null, expiresAt: null },
  id: 'workspaceId',
};

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), shape).action(show);
}

async function show(options: ServerChoice & PrintOptions): Promise<void> {
  const { client, server } = await connectTo(options);
  const { workspace, scopes, apiKey, expiresAt } = await askCaller(client);
  const key = apiKey === null ? 'an access token' : `${apiKey.name} (${apiKey.prefix}…)`;
  const shown = { url: server.url, context: server.context, workspace: workspace.name, workspaceId: workspace.id, scopes, key, expiresAt };
  printRecord(shown, shape, options);
}
