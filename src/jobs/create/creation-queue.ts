import { setImmediate as nextTick } from 'node:timers/promises';
import { sqlState } from '../../database/unavailable.ts';
import { IdempotencyConflictError, InsufficientCreditsError, QueueFullError, ValidationError } from '../../errors.ts';
import type { JobsContext } from '../model/context.ts';
import type { NewJob } from './new-job.ts';
import { findUsedKeys } from './idempotency.ts';
import { brokenConstraint } from './insert.ts';
import type { Job } from '../model/job.ts';
import { QueueRoom } from './queue-room.ts';

/** Jobs in one transaction, unless a single call brings more. */
const batchSize = 500;

/** How often a batch is tried again because another process used one of its keys at the same moment. */
const keyRaces = 10;

/** One call: its jobs are created together or not at all. */
interface Creation {
  jobs: NewJob[];
  /** Jobs that an earlier use of their key created, by the id that the new one would have had. */
  known: Map<string, Job>;
  resolve: (jobs: Job[]) => void;
  reject: (error: unknown) => void;
}

/**
 * Creations of one workspace that arrive together share a transaction: its balance is one row, and taking turns on it
 * one by one would cost most of the speed. Nobody waits but for the batch before.
 */
export class CreationQueue {
  readonly #context: JobsContext;
  readonly #room: QueueRoom;
  readonly #waiting = new Map<string, Creation[]>();

  constructor(context: JobsContext) {
    this.#context = context;
    this.#room = new QueueRoom(context);
  }

  /** Creates the jobs, all or none. Throws InsufficientCreditsError, QueueFullError, IdempotencyConflictError. */
  async add(workspaceId: string, jobs: NewJob[]): Promise<Job[]> {
    const { distinct, standIns } = mergeSameKeys(jobs);
    const created = await new Promise<Job[]>((resolve, reject) => {
      const creation = { jobs: distinct, known: new Map(), resolve, reject };
      const waiting = this.#waiting.get(workspaceId);
      if (waiting === undefined) {
        this.#waiting.set(workspaceId, [creation]);
        void this.#run(workspaceId);
      } else waiting.push(creation);
    });
    const byId = new Map(created.map((job, index) => [distinct[index]?.id, job]));
    return jobs.flatMap(({ id }) => byId.get(standIns.get(id) ?? id) ?? []);
  }

  async #run(workspaceId: string): Promise<void> {
    await nextTick();
    for (;;) {
      const waiting = this.#waiting.get(workspaceId) ?? [];
      if (waiting.length === 0) break;
      const { batch, rest } = takeBatch(waiting);
      this.#waiting.set(workspaceId, rest);
      await this.#create(workspaceId, batch);
    }
    this.#waiting.delete(workspaceId);
  }

  /** Settles every creation of the batch; never throws. */
  async #create(workspaceId: string, batch: Creation[]): Promise<void> {
    let open = batch;
    let races = 0;
    try {
      while (open.length > 0) {
        try {
          const placed = await this.#room.insert(workspaceId, open.flatMap(newOnes));
          if ('jobs' in placed) {
            this.#succeed(open, placed.jobs);
            return;
          }
          open = await this.#settleWithoutRoom(workspaceId, open, placed.room);
        } catch (error) {
          if (breaks(error, brokenConstraint.balance)) {
            await this.#settleOneByOne(workspaceId, open);
            return;
          }
          if (!breaks(error, brokenConstraint.key) || races === keyRaces) throw error;
          races += 1;
          // Most keys are new, so they are looked up only when one of them turns out to be taken.
          open = await this.#settleKnown(workspaceId, open);
        }
      }
    } catch (error) {
      for (const { reject } of open) reject(error);
    }
  }

  /** Answers with the earlier job where a key was used for the same request, refuses where it was for another one. */
  async #settleKnown(workspaceId: string, open: Creation[]): Promise<Creation[]> {
    const keys = open.flatMap(newOnes).flatMap(({ key }) => key?.text ?? []);
    const used = await findUsedKeys(this.#context, workspaceId, keys);
    if (used.size === 0) return open;
    return open.filter((creation) => {
      for (const job of newOnes(creation)) {
        const earlier = job.key === null ? undefined : used.get(job.key.text);
        if (earlier === undefined) continue;
        if (earlier.requestHash !== job.key?.requestHash) {
          creation.reject(new IdempotencyConflictError(earlier.job));
          return false;
        }
        creation.known.set(job.id, earlier.job);
      }
      if (newOnes(creation).length > 0) return true;
      creation.resolve(resultOf(creation, []));
      return false;
    });
  }

  /** In the order of their arrival, whoever still fits is served. Leaves fewer new jobs than there were. */
  async #settleWithoutRoom(workspaceId: string, open: Creation[], found: number): Promise<Creation[]> {
    // A request that comes again takes no room, and its answer does not depend on there being some.
    const fresh = await this.#settleKnown(workspaceId, open);
    let room = found;
    return fresh.filter((creation) => {
      const wanted = newOnes(creation).length;
      if (wanted > room) {
        creation.reject(new QueueFullError(this.#context.limits.maxQueueLength));
        return false;
      }
      room -= wanted;
      return true;
    });
  }

  /** Together they cost more than there is: in the order of their arrival, whoever can pay is served. */
  async #settleOneByOne(workspaceId: string, open: Creation[]): Promise<void> {
    const [only] = open;
    if (open.length > 1 || only === undefined) {
      for (const creation of open) await this.#create(workspaceId, [creation]);
      return;
    }
    const required = newOnes(only).reduce((sum, { credits }) => sum + credits, 0);
    const [row] = await this.#context.database.query<{ credits: number }>(
      'SELECT credits FROM workspace WHERE id = $1',
      [workspaceId],
    );
    only.reject(new InsufficientCreditsError(required, row?.credits ?? 0));
  }

  #succeed(open: Creation[], jobs: Job[]): void {
    const now = Date.now();
    for (const job of jobs) {
      if (job.dueAt.getTime() <= now) this.#context.announcer.workAvailable(job);
      this.#context.announcer.workspaceChanged(job.workspaceId);
    }
    for (const creation of open) creation.resolve(resultOf(creation, jobs));
  }
}

function newOnes({ jobs, known }: Creation): NewJob[] {
  return jobs.filter(({ id }) => !known.has(id));
}

function resultOf({ jobs, known }: Creation, created: readonly Job[]): Job[] {
  const byId = new Map(created.map((job) => [job.id, job]));
  return jobs.flatMap(({ id }) => known.get(id) ?? byId.get(id) ?? []);
}

/** The head of the line; a creation whose key is in the batch already waits for the next one, and then finds it used. */
function takeBatch(waiting: readonly Creation[]): { batch: Creation[]; rest: Creation[] } {
  const batch: Creation[] = [];
  const rest: Creation[] = [];
  const keys = new Set<string>();
  let size = 0;
  for (const creation of waiting) {
    const own = creation.jobs.flatMap(({ key }) => key?.text ?? []);
    const fits = batch.length === 0 || size + creation.jobs.length <= batchSize;
    if (!fits || own.some((key) => keys.has(key))) {
      rest.push(creation);
      continue;
    }
    batch.push(creation);
    size += creation.jobs.length;
    for (const key of own) keys.add(key);
  }
  return { batch, rest };
}

/** Jobs of one call that bear one key are one job; with different requests they are a mistake. */
function mergeSameKeys(jobs: NewJob[]): { distinct: NewJob[]; standIns: Map<string, string> } {
  const firsts = new Map<string, NewJob>();
  const standIns = new Map<string, string>();
  const distinct = jobs.filter((job, index) => {
    if (job.key === null) return true;
    const first = firsts.get(job.key.text);
    if (first === undefined) {
      firsts.set(job.key.text, job);
      return true;
    }
    if (first.key?.requestHash !== job.key.requestHash) {
      const message = 'stands twice in this call, with different requests. Give each request a key of its own.';
      throw new ValidationError([{ path: ['jobs', String(index), 'idempotencyKey'], message }]);
    }
    standIns.set(job.id, first.id);
    return false;
  });
  return { distinct, standIns };
}

function breaks(error: unknown, constraint: string): boolean {
  const state = sqlState(error);
  return (
    (state === '23505' || state === '23514') &&
    error instanceof Error &&
    'constraint' in error &&
    error.constraint === constraint
  );
}
