import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Bus, Unsubscribe } from '../../bus/bus.ts';
import { Loop } from '../../concurrency/loop.ts';
import { type FieldIssue, ValidationError } from '../../errors.ts';
import { parseInput } from '../../input.ts';
import type { Log } from '../../log.ts';
import { anyType, parseWork, type Work, workTopic } from '../feed/announcer.ts';
import { claimRound, firstWorkspace, type StartedAttempt } from './claim.ts';
import type { JobsContext, WorkspaceScope } from '../model/context.ts';
import { encodeLeaseToken } from './lease-token.ts';
import { releaseJob } from '../end/release.ts';
import { unknownTypeMessage } from '../types/registry.ts';

const claim = z.object({
  types: z.array(z.string()).min(1).max(100),
  jobIds: z.array(z.guid()).max(100).nullish(),
  limit: z.int().min(1).max(100).nullish(),
  workerId: z.string().min(1).max(200),
  apiKeyId: z.guid().nullish(),
  waitSeconds: z.number().min(0).max(30).nullish(),
});

/** A worker's request for jobs. */
export interface Claim {
  /** Registered job types, 1 to 100. */
  types: string[];
  /** At most 100 UUIDs. Limits the claim to these jobs. */
  jobIds?: string[] | null | undefined;
  /** 1 to 100. 1 by default. */
  limit?: number | null | undefined;
  /** Recorded in the attempt, for people. 1 to 200 characters. */
  workerId: string;
  /** The key that will hold the jobs. None by default, as for the built-in worker. */
  apiKeyId?: string | null | undefined;
  /** How long to wait for work, 0 to 30. The claim returns as soon as there is some. */
  waitSeconds?: number | null | undefined;
}

interface Waiting {
  scope: WorkspaceScope;
  types: ReadonlySet<string>;
  jobIds: readonly string[] | null;
  limit: number;
  workerId: string;
  apiKeyId: string | null;
  /** One statement serves all waiters of a group. */
  group: string;
  signal: AbortSignal | null;
  patient: boolean;
  resolve: (started: StartedAttempt[]) => void;
  reject: (error: unknown) => void;
}

/** The poll interval, in case a wake-up was lost. */
const pollMilliseconds = 2_000;

/** The most attempts that one statement starts, and the most waiters that it serves. */
const mostAttempts = 100;

/**
 * Serves all claims of this process, from the built-in worker and over GraphQL, in a single loop: separate claims
 * competing for the same head of the queue would get only a quarter of what they ask for. It holds no connection while
 * waiting.
 */
export class Claimer {
  readonly #context: JobsContext;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #waiting = new Set<Waiting>();
  /** The rotation through workspaces: the last turn of each group. */
  readonly #turns = new Map<string, string>();
  #unsubscribe: Unsubscribe[] = [];
  readonly #loop: Loop;
  #stopped = false;

  constructor(context: JobsContext, bus: Bus, log: Log) {
    this.#context = context;
    this.#bus = bus;
    this.#log = log;
    this.#loop = new Loop({ name: 'claiming', work: () => this.#serveAll(), pollMilliseconds, log });
  }

  async start(): Promise<void> {
    this.#unsubscribe = [
      await this.#bus.subscribe(workTopic, (message) => this.#wakeFor(parseWork(message))),
      this.#bus.onReconnect(() => this.#wake()),
    ];
    this.#loop.start();
  }

  get loop(): Loop {
    return this.#loop;
  }

  /** Answers all waiting claims with no jobs and accepts no more claims. May be called twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const waiting of this.#waiting) this.#answer(waiting, []);
    await this.#loop.stop();
  }

  /**
   * Claims up to `limit` jobs. If there are none, waits up to `waitSeconds` for some.
   *
   * @param signal ends the wait when the caller is gone. Jobs claimed for it in the meantime are released.
   * @throws ValidationError, also for an unregistered type, because its worker would wait forever.
   */
  async claim(scope: WorkspaceScope, request: Claim, signal: AbortSignal | null = null): Promise<StartedAttempt[]> {
    const { types, jobIds = null, limit, workerId, apiKeyId = null, waitSeconds } = parseInput(claim, request);
    this.#refuseUnknown(types);
    if (this.#stopped || signal?.aborted) return [];
    const names = [...new Set(types)].toSorted();
    const timer = new AbortController();
    try {
      return await new Promise<StartedAttempt[]>((resolve, reject) => {
        const waiting: Waiting = {
          scope,
          types: new Set(names),
          jobIds,
          limit: limit ?? 1,
          workerId,
          apiKeyId,
          group: JSON.stringify([scope, names, jobIds]),
          signal,
          patient: (waitSeconds ?? 0) > 0,
          resolve,
          reject,
        };
        this.#waiting.add(waiting);
        const giveUp = () => this.#answer(waiting, []);
        signal?.addEventListener('abort', giveUp, { signal: timer.signal });
        if (waiting.patient) delay((waitSeconds ?? 0) * 1_000, null, timer).then(giveUp, () => undefined);
        this.#wake();
      });
    } finally {
      timer.abort();
    }
  }

  #refuseUnknown(types: readonly string[]): void {
    const issues = types.flatMap((name, index): FieldIssue[] =>
      this.#context.types.get(name) === undefined
        ? [{ path: ['types', String(index)], message: unknownTypeMessage(name, this.#context.types) }]
        : [],
    );
    if (issues.length > 0) throw new ValidationError(issues);
  }

  #wakeFor(work: Work[]): void {
    const wanted = [...this.#waiting].some(({ scope, types }) =>
      work.some(
        ({ workspaceId, type }) =>
          (scope === null || scope === workspaceId) && (type === anyType || types.has(type)),
      ),
    );
    if (wanted) this.#wake();
  }

  #wake(): void {
    if (this.#waiting.size > 0) this.#loop.wake();
  }

  async #serveAll(): Promise<void> {
    const groups = Map.groupBy(this.#waiting, ({ group }) => group);
    for (const [group, all] of groups) {
      for (let from = 0; from < all.length; from += mostAttempts) {
        // Skip waiters that left during an earlier statement.
        const waiters = all.slice(from, from + mostAttempts).filter((waiting) => this.#waiting.has(waiting));
        try {
          await this.#serve(group, waiters);
        } catch (error) {
          for (const waiting of waiters) {
            if (this.#waiting.delete(waiting)) waiting.reject(error);
          }
        }
      }
    }
  }

  async #serve(group: string, waiters: Waiting[]): Promise<void> {
    const [first] = waiters;
    if (first === undefined) return;
    const assignees = assignInTurns(waiters);
    const started: StartedAttempt[] = [];
    const origin = this.#turns.get(group) ?? firstWorkspace;
    let after = origin;
    // Looking at a few workspaces satisfies nearly every claim. If nothing in them may start, look at more.
    for (let workspaces = assignees.length + 4; ; workspaces = Math.min(workspaces * 4, 256)) {
      const result = await claimRound(this.#context, {
        scope: first.scope,
        types: [...first.types],
        jobIds: first.jobIds,
        workerIds: assignees.slice(started.length).map(({ workerId }) => workerId),
        apiKeyIds: assignees.slice(started.length).map(({ apiKeyId }) => apiKeyId),
        after,
        workspaces,
      }).catch((error: unknown) => {
        // Hand out what earlier rounds started. If the error persists, the next claim throws it.
        if (started.length === 0) throw error;
        return { started: [], after: firstWorkspace, wentRound: true };
      });
      started.push(...result.started);
      const wentRound = result.wentRound || leadsPast(origin, after, result.after);
      after = result.after;
      this.#remember(group, after);
      if (wentRound || started.length >= assignees.length) break;
    }
    this.#handOut(assignees, started);
  }

  #handOut(assignees: Waiting[], started: StartedAttempt[]): void {
    const shares = new Map<Waiting, StartedAttempt[]>();
    for (const [index, attempt] of started.entries()) {
      const waiting = assignees[index];
      if (waiting === undefined) continue;
      const share = shares.get(waiting) ?? [];
      share.push(attempt);
      shares.set(waiting, share);
    }
    for (const waiting of new Set(assignees)) {
      const share = shares.get(waiting) ?? [];
      if (share.length > 0 || !waiting.patient) this.#answer(waiting, share);
    }
  }

  #answer(waiting: Waiting, share: StartedAttempt[]): void {
    if (this.#waiting.delete(waiting) && !waiting.signal?.aborted) {
      waiting.resolve(share);
      return;
    }
    waiting.resolve([]);
    for (const { job, token } of share) {
      const request = { token: encodeLeaseToken({ jobId: job.id, token }) };
      releaseJob(this.#context, waiting.scope, request).catch((error: unknown) =>
        this.#log.warn({ err: error, jobId: job.id }, 'could not release a job claimed for a worker that left'),
      );
    }
  }

  /** Remembers where a group's next turn begins. Beyond 1,000 groups it drops the oldest, which then starts over. */
  #remember(group: string, after: string): void {
    this.#turns.delete(group);
    this.#turns.set(group, after);
    if (this.#turns.size <= 1_000) return;
    const [oldest] = this.#turns.keys();
    if (oldest !== undefined) this.#turns.delete(oldest);
  }
}

/** Whether going from one workspace to another, in id order with wrap-around, reaches or passes a third. */
function leadsPast(third: string, from: string, to: string): boolean {
  return from < to ? from < third && third <= to : from < third || third <= to;
}

/**
 * One entry per attempt that may start. Waiters take turns, so one that asks for 100 does not starve one that asks for
 * 1.
 */
function assignInTurns(waiters: readonly Waiting[]): Waiting[] {
  const assignees: Waiting[] = [];
  for (let round = 1; assignees.length < mostAttempts; round += 1) {
    const open = waiters.filter(({ limit }) => limit >= round);
    if (open.length === 0) break;
    assignees.push(...open.slice(0, mostAttempts - assignees.length));
  }
  return assignees;
}
