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
  waitSeconds: z.number().min(0).max(30).nullish(),
});

/** What a worker asks for. */
export interface Claim {
  /** Registered job types, 1 to 100. */
  types: string[];
  /** UUIDs, at most 100: only these jobs, where given. */
  jobIds?: string[] | null | undefined;
  /** 1 to 100; 1 where not given. */
  limit?: number | null | undefined;
  /** For people: it stands in the attempt. 1 to 200 characters. */
  workerId: string;
  /** 0 to 30: answers as soon as there is work. */
  waitSeconds?: number | null | undefined;
}

interface Waiting {
  scope: WorkspaceScope;
  types: ReadonlySet<string>;
  jobIds: readonly string[] | null;
  limit: number;
  workerId: string;
  /** Waiters of one group are served by one statement. */
  group: string;
  signal: AbortSignal | null;
  patient: boolean;
  resolve: (started: StartedAttempt[]) => void;
  reject: (error: unknown) => void;
}

/** The safety net for a wake-up that was lost, in milliseconds. */
const pollMilliseconds = 2_000;

/** Attempts that one statement starts; no group of waiters that it serves is larger. */
const mostHands = 100;

/**
 * One loop in each process serves all its claims, of workers in the process and over GraphQL alike: rivals at the same
 * head of the queue would get a quarter of what they ask for. It holds no connection while it waits.
 */
export class Claimer {
  readonly #context: JobsContext;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #waiting = new Set<Waiting>();
  /** Rotates through the workspaces, for each group of claims. */
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

  /** Answers all waiting claims with nothing, and takes no more. May be called twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const waiting of this.#waiting) this.#answer(waiting, []);
    await this.#loop.stop();
  }

  /**
   * Takes up to `limit` jobs; where there are none, waits up to `waitSeconds` for some.
   *
   * @param signal ends the wait: the asker is gone, and what was claimed for it meanwhile is released.
   * @throws ValidationError, also for a type that is not registered: its worker would wait for ever.
   */
  async claim(scope: WorkspaceScope, request: Claim, signal: AbortSignal | null = null): Promise<StartedAttempt[]> {
    const { types, jobIds = null, limit, workerId, waitSeconds } = parseInput(claim, request);
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
      for (let from = 0; from < all.length; from += mostHands) {
        // Whoever has left during an earlier statement is not claimed for.
        const waiters = all.slice(from, from + mostHands).filter((waiting) => this.#waiting.has(waiting));
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
    const hands = dealHands(waiters);
    const started: StartedAttempt[] = [];
    const origin = this.#turns.get(group) ?? firstWorkspace;
    let after = origin;
    // A few workspaces answer nearly every claim; where they have nothing that may start, more are looked at.
    for (let workspaces = hands.length + 4; ; workspaces = Math.min(workspaces * 4, 256)) {
      const result = await claimRound(this.#context, {
        scope: first.scope,
        types: [...first.types],
        jobIds: first.jobIds,
        workerIds: hands.slice(started.length).map(({ workerId }) => workerId),
        after,
        workspaces,
      }).catch((error: unknown) => {
        // What earlier rounds started is handed out all the same; the error comes again if it lasts.
        if (started.length === 0) throw error;
        return { started: [], after: firstWorkspace, wentRound: true };
      });
      started.push(...result.started);
      const wentRound = result.wentRound || leadsPast(origin, after, result.after);
      after = result.after;
      this.#remember(group, after);
      if (wentRound || started.length >= hands.length) break;
    }
    this.#handOut(hands, started);
  }

  #handOut(hands: Waiting[], started: StartedAttempt[]): void {
    const shares = new Map<Waiting, StartedAttempt[]>();
    for (const [index, attempt] of started.entries()) {
      const waiting = hands[index];
      if (waiting === undefined) continue;
      const share = shares.get(waiting) ?? [];
      share.push(attempt);
      shares.set(waiting, share);
    }
    for (const waiting of new Set(hands)) {
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
        this.#log.warn({ err: error, jobId: job.id }, 'a job claimed for a worker that had left was not released'),
      );
    }
  }

  /** Forgets the oldest rotation where there are very many groups; its claims then begin anywhere. */
  #remember(group: string, after: string): void {
    this.#turns.delete(group);
    this.#turns.set(group, after);
    if (this.#turns.size <= 1_000) return;
    const [oldest] = this.#turns.keys();
    if (oldest !== undefined) this.#turns.delete(oldest);
  }
}

/** Whether the way from one workspace on to another, in the order of ids and then round, comes to a third or passes it. */
function leadsPast(third: string, from: string, to: string): boolean {
  return from < to ? from < third && third <= to : from < third || third <= to;
}

/** One entry for each attempt that may start, waiters in turn: one that asks for a hundred does not starve one that asks for one. */
function dealHands(waiters: readonly Waiting[]): Waiting[] {
  const hands: Waiting[] = [];
  for (let round = 1; hands.length < mostHands; round += 1) {
    const open = waiters.filter(({ limit }) => limit >= round);
    if (open.length === 0) break;
    hands.push(...open.slice(0, mostHands - hands.length));
  }
  return hands;
}
