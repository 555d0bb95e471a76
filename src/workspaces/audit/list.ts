import { z } from 'zod';
import { columnsOf, type Row, type Shown } from '../../database/columns.ts';
import { binder, type Window, windowOrder, withinWindow } from '../../database/keyset.ts';
import type { Queryable } from '../../database/queryable.ts';
import { parseInput } from '../../input.ts';
import { AuditEntryEntity } from './entities.ts';

/** An entry of the audit. */
export type AuditEntry = Shown<typeof AuditEntryEntity>;

type EntryRow = Row<typeof AuditEntryEntity>;

const columns = columnsOf(AuditEntryEntity, {});

const request = z.object({ actions: z.array(z.string().max(100)).max(100).nullish() });

/**
 * Lists the entries of a workspace.
 *
 * @param asked `actions`: only these, at most 100; null for all
 * @throws ValidationError
 */
export async function listAuditEntries(
  database: Queryable,
  workspaceId: string,
  asked: { actions?: readonly string[] | null | undefined },
  window: Window,
): Promise<AuditEntry[]> {
  const { actions } = parseInput(request, asked);
  const parameters: unknown[] = [];
  const bind = binder(parameters);
  const page = (conditions: readonly string[]) => {
    const where = [`audit_entry.workspace_id = ${bind(workspaceId)}::uuid`, ...conditions, ...withinWindow('audit_entry.id', window, bind)];
    return `SELECT ${columns.select('audit_entry')} FROM audit_entry WHERE ${where.join(' AND ')} ${windowOrder('audit_entry.id', window, bind)}`;
  };
  // The first of each action, of which the page is the first: an action that is rare is found as fast as one that is not.
  const statement =
    actions == null
      ? page([])
      : `SELECT entry.* FROM unnest(${bind([...new Set(actions)])}::text[]) AS asked(action)
         CROSS JOIN LATERAL (${page(['audit_entry.action = asked.action'])}) AS entry ${windowOrder('entry.id', window, bind)}`;
  return (await database.query<EntryRow>(statement, parameters)).map(columns.read);
}

/** Finds an entry in any workspace, for administrators. */
export async function findAuditEntry(database: Queryable, id: string): Promise<AuditEntry | null> {
  const [row] = await database.query<EntryRow>(`SELECT ${columns.select('audit_entry')} FROM audit_entry WHERE id = $1`, [id]);
  return row === undefined ? null : columns.read(row);
}
