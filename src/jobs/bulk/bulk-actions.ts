import type { Bus } from '../../bus/bus.ts';
import { Loop } from '../../concurrency/loop.ts';
import type { Window } from '../../database/keyset.ts';
import { NotFoundError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { type Actor, record } from '../../workspaces/audit/record.ts';
import type { JobsContext } from '../model/context.ts';
import type { Counting } from '../read/counting.ts';
import { createDoers, type DoerParts } from './doers.ts';
import { type BulkAction, findBulkAction, listBulkActions } from './bulk-action.ts';
import { bulkStatus, sqlIsRunning } from './entities.ts';
import { type BulkRequest, startBulkAction } from './start.ts';
import { makeStep } from './step.ts';
import { BulkWatch, bulkTopic } from './watch.ts';

const pollMilliseconds = 1_000;

const stopping = `
  UPDATE bulk_action SET status = '${bulkStatus.stopped}', finished_at = now(), version = version + 1
  WHERE workspace_id = $1 AND id = $2 AND ${sqlIsRunning} RETURNING 1`;

interface BulkActionsParts extends DoerParts {
  bus: Bus;
  log: Log;
  counting: Counting;
}

/**
 * Starts, carries out and watches bulk actions. Every process carries them out, step by step: each step belongs to one of them,
 * and if that dies, it was not made, and another process makes it.
 */
export class BulkActions {
  readonly #context: JobsContext;
  readonly #bus: Bus;
  readonly #counting: Counting;
  readonly loop: Loop;

  constructor(parts: BulkActionsParts) {
    const { context, bus, log, counting } = parts;
    this.#context = context;
    this.#bus = bus;
    this.#counting = counting;
    const doers = createDoers(parts);
    this.loop = new Loop({
      name: 'carrying out bulk actions',
      work: async () => {
        const step = await makeStep(context, doers);
        if (step === null) return;
        bus.publish(bulkTopic(step.id), '');
        return 'more';
      },
      pollMilliseconds,
      log,
    });
  }

  /** Throws what `startBulkAction` says. */
  async start(workspaceId: string, asked: BulkRequest): Promise<BulkAction> {
    const action = await startBulkAction({ database: this.#context.database, counting: this.#counting }, workspaceId, asked);
    this.loop.wake();
    return action;
  }

  /** Lets an action do no more. What was done stays done; one that has ended stays as it is. Throws NotFoundError. */
  async stop(workspaceId: string, id: string, by: Actor): Promise<BulkAction> {
    const { database } = this.#context;
    await database.transaction(async (transaction) => {
      // Waits for the step that is being made.
      const rows = await transaction.query(stopping, [workspaceId, id]);
      if (rows.length > 0) await record(transaction, { workspaceId, action: 'bulk_action.stop', by, target: { type: 'BulkAction', id } });
    });
    const action = await this.find(workspaceId, id);
    if (action === null) throw new NotFoundError('Bulk action');
    this.#bus.publish(bulkTopic(id), '');
    return action;
  }

  /** Returns null if there is none, or it belongs to another workspace. */
  find(workspaceId: string, id: string): Promise<BulkAction | null> {
    return findBulkAction(this.#context.database.hot, workspaceId, id);
  }

  /** The actions of a workspace, in order of ids. */
  list(workspaceId: string, window: Window): Promise<BulkAction[]> {
    return listBulkActions(this.#context.database.reads, workspaceId, window);
  }

  /** Yields an action as it is and after its steps; some of them may be left out. Ends with the action. */
  watch(workspaceId: string, id: string): AsyncIterableIterator<BulkAction, void, void> {
    return new BulkWatch(this.#bus, id, () => this.find(workspaceId, id));
  }
}
