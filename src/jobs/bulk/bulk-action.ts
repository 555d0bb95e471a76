import { columnsOf, type Row, type Shown } from '../../database/columns.ts';
import { createdAtOf } from '../../database/ids.ts';
import { binder, type Window, windowOrder, withinWindow } from '../../database/keyset.ts';
import type { Queryable } from '../../database/queryable.ts';
import { BulkActionEntity, bulkStatus } from './entities.ts';

/** One thing done to many jobs, by the server, in small steps. */
export type BulkAction = Shown<typeof BulkActionEntity> & {
  /** The time in its id. */
  createdAt: Date;
};

export type BulkActionRow = Row<typeof BulkActionEntity>;

export const { select: bulkActionColumns, read: bulkActionFromRow } = columnsOf(BulkActionEntity, { createdAt: ({ id }) => createdAtOf(id) });

const all = `SELECT ${bulkActionColumns('bulk_action')} FROM bulk_action WHERE bulk_action.workspace_id = $1`;

/** Returns null if there is none, or it belongs to another workspace. */
export async function findBulkAction(database: Queryable, workspaceId: string, id: string): Promise<BulkAction | null> {
  const [row] = await database.query<BulkActionRow>(`${all} AND bulk_action.id = $2`, [workspaceId, id]);
  return row === undefined ? null : bulkActionFromRow(row);
}

/** The actions of a workspace, in order of ids. */
export async function listBulkActions(database: Queryable, workspaceId: string, window: Window): Promise<BulkAction[]> {
  const parameters: unknown[] = [workspaceId];
  const bind = binder(parameters);
  const where = [all, ...withinWindow('bulk_action.id', window, bind)].join(' AND ');
  const rows = await database.query<BulkActionRow>(`${where} ${windowOrder('bulk_action.id', window, bind)}`, parameters);
  return rows.map(bulkActionFromRow);
}

/** Whether nothing more is done. */
export function hasEnded({ status }: Pick<BulkAction, 'status'>): boolean {
  return status !== bulkStatus.running;
}
