import type { Queryable } from '../../database/queryable.ts';
import { breaks, brokenConstraint } from '../create/insert.ts';
import type { QueueRoom } from '../create/queue-room.ts';
import type { JobsContext } from '../model/context.ts';

/** How often others may take the credits or the room in between. */
const mostTries = 10;

/**
 * Runs a transaction that creates jobs of a workspace, again if others took its credits or its place in the queue meanwhile.
 *
 * @param wanted how many jobs it may create
 * @param work is told how much room the queue has, if that was counted, and has to keep within it
 */
export async function withRoom<Result>(
  { database }: JobsContext,
  queue: QueueRoom,
  { workspaceId, wanted }: { workspaceId: string; wanted: number },
  work: (transaction: Queryable, room: number | null) => Promise<Result>,
): Promise<Result> {
  for (let room: number | null = null, left = mostTries - 1; ; left -= 1) {
    try {
      return await database.transaction((transaction) => work(transaction, room));
    } catch (error) {
      const isFull = breaks(error, brokenConstraint.room);
      if (left === 0 || !(isFull || breaks(error, brokenConstraint.balance))) throw error;
      // Embedded, only outside the transaction.
      if (isFull) room = await queue.findRoom(workspaceId, wanted);
    }
  }
}
