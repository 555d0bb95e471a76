/** A tenant. Everything except the installation's own settings belongs to a workspace. */
export interface Workspace {
  id: string;
  name: string;
  /** Always the sum of its ledger. */
  credits: number;
  /** How many jobs may run at once. Null means unlimited. */
  concurrencyLimit: number | null;
}

/** The columns of a Workspace. They exclude the webhook secret, which only the webhook sender reads. */
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
