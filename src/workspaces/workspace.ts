/** A tenant. Everything but the installation's own settings belongs to one. */
export interface Workspace {
  id: string;
  name: string;
  /** Always the sum of its ledger. */
  credits: number;
  /** Jobs that may run at once; null is unlimited. */
  concurrencyLimit: number | null;
}

/** Columns of a Workspace. The webhook secret is none of them: only the sender of webhooks reads it. */
export const workspaceColumns = 'workspace.id, workspace.name, workspace.credits, workspace.concurrency_limit';

export interface WorkspaceRow {
  id: string;
  name: string;
  credits: number;
  concurrency_limit: number | null;
}

export function workspaceFromRow(row: WorkspaceRow): Workspace {
  return { id: row.id, name: row.name, credits: row.credits, concurrencyLimit: row.concurrency_limit };
}
