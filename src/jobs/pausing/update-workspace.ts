import { z } from 'zod';
import { NotFoundError } from '../../errors.ts';
import { parseInput } from '../../input.ts';
import { type Actor, byNobody, record } from '../../workspaces/audit/record.ts';
import { concurrencyLimit, workspaceName } from '../../workspaces/create-workspace.ts';
import { findWorkspace } from '../../workspaces/find.ts';
import type { Workspace } from '../../workspaces/workspace.ts';
import { settleAgain, settleSlots } from '../claim/slots.ts';
import type { JobsContext } from '../model/context.ts';

const request = z.object({
  name: workspaceName.optional(),
  concurrencyLimit: concurrencyLimit.nullish(),
  paused: z.boolean().optional(),
});

/** What is left out stays as it was. */
export interface WorkspaceUpdate {
  /** 1 to 200 characters. */
  name?: string | null | undefined;
  /** The most jobs running at once, 1 to 10,000; null for no limit. */
  concurrencyLimit?: number | null | undefined;
  /** Whether its jobs wait. */
  paused?: boolean | null | undefined;
}

/**
 * Changes a workspace. What runs is not touched: a lower limit and a pause stop claims. Attempts that are being claimed at
 * this moment still start, so the first limit of a workspace may be exceeded by those.
 *
 * @throws NotFoundError, ValidationError
 */
export async function updateWorkspace(context: JobsContext, id: string, update: WorkspaceUpdate, by: Actor = byNobody): Promise<Workspace> {
  const { database, pauses, announcer } = context;
  const { name, concurrencyLimit: limit, paused } = parseInput(request, update);
  await database.transaction(async (transaction) => {
    if (limit !== undefined) await settleSlots(transaction, id, limit);
    const changed = await transaction.query(
      `UPDATE workspace SET name = coalesce($2, name), paused = coalesce($3, paused),
         concurrency_limit = CASE WHEN $4::boolean THEN $5::int ELSE concurrency_limit END
       WHERE id = $1 RETURNING id`,
      [id, name ?? null, paused ?? null, limit !== undefined, limit ?? null],
    );
    if (changed.length === 0) throw new NotFoundError('Workspace');
    const details = { ...(name === undefined ? {} : { name }), ...(limit === undefined ? {} : { concurrencyLimit: limit }), ...(paused === undefined ? {} : { paused }) };
    await record(transaction, { workspaceId: id, action: 'workspace.update', by, target: { type: 'Workspace', id }, details });
  });
  const workspace = await findWorkspace(database.em(), id);
  if (workspace === null) throw new NotFoundError('Workspace');
  // Those that began without a limit and were not committed yet.
  if (limit != null) await settleAgain(database, id);
  if (paused !== undefined) await pauses.changed();
  if (!workspace.paused) announcer.slotFreed(id);
  return workspace;
}
