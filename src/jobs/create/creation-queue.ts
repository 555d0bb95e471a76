import { LRUCache } from 'lru-cache';
import { Batches, Failed, type Outcome } from '../../concurrency/batches.ts';
import { type FieldIssue, InsufficientCreditsError, QueueFullError, ValidationError } from '../../errors.ts';
import { maxIssues } from '../../input.ts';
import { IdempotencyConflictError } from '../model/job-errors.ts';
import type { JobsContext } from '../model/context.ts';
import type { NewJob } from './new-job.ts';
import { findUsedKeys } from './idempotency.ts';
import { announceCreated, breaks, brokenConstraint } from './insert.ts';
import type { Job } from '../model/job.ts';
import { QueueRoom } from './queue-room.ts';
import { isSameRequest } from './request-key.ts';

/** The most jobs in one transaction, unless a single call has more. */
const batchSize = 500;

/** How often a batch is retried because another process used one of its keys at the same moment. */
const keyRaces = 10;

/** One call. Its jobs are created together or not at all. */
interface Creation {
  jobs: readonly NewJob[];
  /** Existing jobs of keys that were used before, by the id that the new job would have had. */
  known: Map<string, Job>;
  outcome: Job[] | Failed | null;
}

/**
 * Batches the creations of a workspace that arrive together into one transaction. The balance is a single row, so
 * locking it once per creation would cost most of the throughput. A creation waits at most for the batch before it.
 */
export class CreationQueue {
  readonly #context: JobsContext;
  readonly #room: QueueRoom;
  /** By workspace. An evicted entry that is still busy finishes alongside its successor. */
  readonly #batches: LRUCache<string, Batches<readonly NewJob[], Job[]>>;

  constructor(context: JobsContext, room = new QueueRoom(context)) {
    this.#context = context;
    this.#room = room;
    this.#batches = new LRUCache({ max: 10_000, memoMethod: (workspaceId) => this.#batchesOf(workspaceId) });
  }

  /** Creates the jobs, all or none. Throws InsufficientCreditsError, QueueFullError, IdempotencyConflictError. */
  async add(workspaceId: string, jobs: NewJob[]): Promise<Job[]> {
    if (jobs.length === 0) return [];
    const { distinct, standIns } = mergeSameKeys(jobs);
    const created = await this.#batches.memo(workspaceId).add(distinct);
    const byId = new Map(created.map((job, index) => [distinct[index]?.id, job]));
    return jobs.flatMap(({ id }) => byId.get(standIns.get(id) ?? id) ?? []);
  }

  #batchesOf(workspaceId: string): Batches<readonly NewJob[], Job[]> {
    return new Batches((calls) => this.#createBatch(workspaceId, calls), {
      lanes: 1,
      size: batchSize,
      weigh: ({ length }) => length,
    });
  }

  /** Never rejects: each creation gets its own outcome. */
  async #createBatch(workspaceId: string, calls: readonly (readonly NewJob[])[]): Promise<Outcome<Job[]>[]> {
    const creations = calls.map((jobs): Creation => ({ jobs, known: new Map(), outcome: null }));
    let waiting: readonly Creation[] = creations;
    while (waiting.length > 0) {
      const { first, later } = withoutSharedKeys(waiting);
      await this.#create(workspaceId, first);
      waiting = later.length === 0 ? [] : await this.#settleKnownOrFail(workspaceId, later);
    }
    return creations.map(({ outcome }) => outcome ?? new Failed(new Error('a creation has no outcome')));
  }

  /** Gives every creation its outcome. Never throws. */
  async #create(workspaceId: string, creations: readonly Creation[]): Promise<void> {
    let open = creations;
    let races = 0;
    try {
      while (open.length > 0) {
        try {
          const placed = await this.#room.insert(workspaceId, open.flatMap(newOnes));
          if ('jobs' in placed) {
            this.#succeed(open, placed.jobs);
            return;
          }
          open = 'room' in placed ? await this.#settleWithoutRoom(workspaceId, open, placed.room) : await this.#settleWithoutUploads(workspaceId, open, placed.issues);
        } catch (error) {
          if (breaks(error, brokenConstraint.balance)) {
            await this.#createOneByOne(workspaceId, open);
            return;
          }
          if (!breaks(error, brokenConstraint.key) || races === keyRaces) throw error;
          races += 1;
          // Most keys are new, so they are looked up only after one turns out to be taken.
          open = await this.#settleKnown(workspaceId, open);
        }
      }
    } catch (error) {
      for (const creation of open) creation.outcome = new Failed(error);
    }
  }

  /** Resolves used keys: the same request gets the existing job, a different request is refused. Returns the rest. */
  async #settleKnown(workspaceId: string, open: readonly Creation[]): Promise<readonly Creation[]> {
    const keys = open.flatMap(newOnes).flatMap(({ key }) => key?.text ?? []);
    const used = await findUsedKeys(this.#context, workspaceId, keys);
    if (used.size === 0) return open;
    return open.filter((creation) => {
      for (const job of newOnes(creation)) {
        const earlier = job.key === null ? undefined : used.get(job.key.text);
        if (job.key === null || earlier === undefined) continue;
        if (!isSameRequest(earlier, job.key)) {
          creation.outcome = new Failed(new IdempotencyConflictError(earlier));
          return false;
        }
        creation.known.set(job.id, earlier.job);
      }
      if (newOnes(creation).length > 0) return true;
      creation.outcome = resultOf(creation, []);
      return false;
    });
  }

  /** Never throws. */
  async #settleKnownOrFail(workspaceId: string, open: readonly Creation[]): Promise<readonly Creation[]> {
    try {
      return await this.#settleKnown(workspaceId, open);
    } catch (error) {
      for (const creation of open) creation.outcome = new Failed(error);
      return [];
    }
  }

  /**
   * Keeps the creations that still fit, in order of arrival, and refuses the others. Leaves fewer new jobs than
   * before.
   */
  async #settleWithoutRoom(workspaceId: string, open: readonly Creation[], found: number): Promise<readonly Creation[]> {
    // A repeated request takes no room, so it must succeed even if the queue is full.
    const fresh = await this.#settleKnown(workspaceId, open);
    let room = found;
    return fresh.filter((creation) => {
      const wanted = newOnes(creation).length;
      if (wanted > room) {
        creation.outcome = new Failed(new QueueFullError(this.#context.limits.maxQueueLength));
        return false;
      }
      room -= wanted;
      return true;
    });
  }

  /** Refuses the creations that name uploads that they cannot have. Leaves fewer new jobs than before. */
  async #settleWithoutUploads(
    workspaceId: string,
    open: readonly Creation[],
    issues: ReadonlyMap<string, FieldIssue[]>,
  ): Promise<readonly Creation[]> {
    // What a repeated request named may be gone since.
    const fresh = await this.#settleKnown(workspaceId, open);
    return fresh.filter((creation) => {
      const theirs = newOnes(creation).flatMap(({ id }) => issues.get(id) ?? []);
      if (theirs.length === 0) return true;
      creation.outcome = new Failed(new ValidationError(theirs.slice(0, maxIssues)));
      return false;
    });
  }

  /** Handles a batch that costs more than the balance: tries the creations one by one, in order of arrival. */
  async #createOneByOne(workspaceId: string, open: readonly Creation[]): Promise<void> {
    const [only] = open;
    if (open.length > 1 || only === undefined) {
      for (const creation of open) await this.#create(workspaceId, [creation]);
      return;
    }
    const required = newOnes(only).reduce((sum, { credits }) => sum + credits, 0);
    const [row] = await this.#context.database.hot.query<{ credits: number }>(
      'SELECT credits FROM workspace WHERE id = $1',
      [workspaceId],
    );
    only.outcome = new Failed(new InsufficientCreditsError(required, row?.credits ?? 0));
  }

  #succeed(open: readonly Creation[], jobs: Job[]): void {
    announceCreated(this.#context, jobs);
    for (const creation of open) creation.outcome = resultOf(creation, jobs);
  }
}

function newOnes({ jobs, known }: Creation): NewJob[] {
  return jobs.filter(({ id }) => !known.has(id));
}

function resultOf({ jobs, known }: Creation, created: readonly Job[]): Job[] {
  const byId = new Map(created.map((job) => [job.id, job]));
  return jobs.flatMap(({ id }) => known.get(id) ?? byId.get(id) ?? []);
}

/** Splits off creations that share a key with an earlier one. They run later and find the key used. */
function withoutSharedKeys(creations: readonly Creation[]): { first: Creation[]; later: Creation[] } {
  const keys = new Set<string>();
  const first: Creation[] = [];
  const later: Creation[] = [];
  for (const creation of creations) {
    const own = creation.jobs.flatMap(({ key }) => key?.text ?? []);
    if (own.some((key) => keys.has(key))) {
      later.push(creation);
      continue;
    }
    first.push(creation);
    for (const key of own) keys.add(key);
  }
  return { first, later };
}

/** Merges the jobs of one call that have the same key. Different requests with the same key are an error. */
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
      const message = 'is used twice in this call, for different requests. Give each request its own key.';
      throw new ValidationError([{ path: ['jobs', String(index), 'idempotencyKey'], message }]);
    }
    standIns.set(job.id, first.id);
    return false;
  });
  return { distinct, standIns };
}
