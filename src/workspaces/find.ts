import type { Queryable } from '../database/queryable.ts';
import { createdAtOf } from '../database/ids.ts';
import { binder, type Window, windowOrder, withinWindow } from '../database/keyset.ts';
import { type ApiKey, apiKeyColumns, apiKeyFromRow, type ApiKeyRow } from './api-key.ts';
import { type Workspace, type WorkspaceRow, workspaceColumns, workspaceFromRow } from './workspace.ts';

/** One ledger entry of a workspace. */
export interface CreditTransaction {
  id: string;
  workspaceId: string;
  kind: 'GRANT' | 'CHARGE' | 'REFUND';
  /** Charges are negative. */
  amount: number;
  balanceAfter: number;
  jobId: string | null;
  createdAt: Date;
}

interface CreditTransactionRow {
  id: string;
  workspace_id: string;
  kind: CreditTransaction['kind'];
  amount: number;
  balance_after: number;
  job_id: string | null;
}

const creditColumns = 'id, workspace_id, kind, amount, balance_after, job_id';

export async function findWorkspace(database: Queryable, id: string): Promise<Workspace | null> {
  const [row] = await database.query<WorkspaceRow>(`SELECT ${workspaceColumns} FROM workspace WHERE id = $1`, [id]);
  return row === undefined ? null : workspaceFromRow(row);
}

/** Lists all workspaces, for administrators. */
export async function listWorkspaces(database: Queryable, window: Window): Promise<Workspace[]> {
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const where = ['true', ...withinWindow('id', window, bind)].join(' AND ');
  const rows = await database.query<WorkspaceRow>(
    `SELECT ${workspaceColumns} FROM workspace WHERE ${where} ${windowOrder('id', window, bind)}`,
    parameters,
  );
  return rows.map(workspaceFromRow);
}

/** Finds a key in any workspace, for administrators. */
export async function findApiKey(database: Queryable, id: string): Promise<ApiKey | null> {
  const [row] = await database.query<ApiKeyRow>(
    `SELECT ${apiKeyColumns} FROM api_key WHERE id = $1`,
    [id],
  );
  return row === undefined ? null : apiKeyFromRow(row);
}

export async function listApiKeys(database: Queryable, workspaceId: string, window: Window): Promise<ApiKey[]> {
  const rows = await listOfWorkspace<ApiKeyRow>(database, 'api_key', apiKeyColumns, workspaceId, window);
  return rows.map(apiKeyFromRow);
}

/** Returns null if the transaction does not exist or belongs to another workspace. */
export async function findCreditTransaction(
  database: Queryable,
  workspaceId: string,
  id: string,
): Promise<CreditTransaction | null> {
  const [row] = await database.query<CreditTransactionRow>(
    `SELECT ${creditColumns} FROM credit_transaction WHERE id = $1 AND workspace_id = $2`,
    [id, workspaceId],
  );
  return row === undefined ? null : creditTransactionFromRow(row);
}

export async function listCreditTransactions(
  database: Queryable,
  workspaceId: string,
  window: Window,
): Promise<CreditTransaction[]> {
  const table = 'credit_transaction';
  const rows = await listOfWorkspace<CreditTransactionRow>(database, table, creditColumns, workspaceId, window);
  return rows.map(creditTransactionFromRow);
}

function listOfWorkspace<Row>(
  database: Queryable,
  table: 'api_key' | 'credit_transaction',
  columns: string,
  workspaceId: string,
  window: Window,
): Promise<Row[]> {
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const where = [`workspace_id = ${bind(workspaceId)}::uuid`, ...withinWindow('id', window, bind)].join(' AND ');
  const order = windowOrder('id', window, bind);
  return database.query<Row>(`SELECT ${columns} FROM ${table} WHERE ${where} ${order}`, parameters);
}

function creditTransactionFromRow(row: CreditTransactionRow): CreditTransaction {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    kind: row.kind,
    amount: row.amount,
    balanceAfter: row.balance_after,
    jobId: row.job_id,
    createdAt: createdAtOf(row.id),
  };
}
