import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Bus, Unsubscribe } from '../../bus/bus.ts';
import { FairQueue } from '../../concurrency/fair-queue.ts';
import { Loop, type Run, type Went } from '../../concurrency/loop.ts';
import { crowdedRetrySeconds, type FieldIssue, RateLimitedError, ValidationError } from '../../errors.ts';
import { parseInput } from '../../input.ts';
import type { Log } from '../../log.ts';
import { anyType, anyWorkspace, leavingTopic, parseWork, type Work, workTopic } from '../feed/announcer.ts';
import { type ClaimRound, claimRound, type ClaimRoundResult, firstWorkspace, type StartedAttempt } from './claim.ts';
import { type Claim, claimSchema } from './claim-request.ts';
import type { JobsContext } from '../model/context.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import type { Job } from '../model/job.ts';
import { findWorker } from './held.ts';
import { decodeLeaseToken, encodeLeaseToken } from './lease-token.ts';
import { releaseJob } from '../end/release.ts';
import { unknownTypeMessage } from '../types/registry.ts';

/** A message of the leaving topic: the claimer that it is from, the worker's scope and its id. */
const leaving = z.tuple([z.string(), z.string().nullable(), z.string()]);

interface Waiting {
  limit: number;
  workerId: string;
  group: Group;
  signal: AbortSignal | null;
  patient: boolean;
  resolve: (started: StartedAttempt[]) => void;
  reject: (error: unknown) => void;
}

/** Claims of one key for the same jobs: one statement serves them all. */
interface Group {
  id: string;
  apiKeyId: string | null;
  scope: WorkspaceScope;
  types: ReadonlySet<string>;
  jobIds: readonly string[] | null;
  without: ReadonlySet<string>;
  /** In order of arrival. */
  waiting: Set<Waiting>;
}

/** How a group's turn begins: where the last one ended in the rotation through workspaces, and whether that met limits. */
type Turn = Pick<ClaimRound, 'after' | 'limits'>;

const firstTurn: Turn = { after: firstWorkspace, limits: false };

/** Whose turn a group waits for: its key's, or that of all claims without one. */
function ownerOf({ apiKeyId }: Group): string {
  return apiKeyId ?? 'built-in';
}

/** The poll interval, in case a wake-up was lost. */
const pollMilliseconds = 2_000;

/** The most attempts that one statement starts, and the most waiters that it serves. */
const mostAttempts = 100;

/**
 * Serves all claims of this process, from the built-in worker and over GraphQL, in a single loop: separate claims
 * competing for the same head of the queue would get only a quarter of what they ask for. It holds no connection while
 * waiting.
 *
 * Each run makes one statement, for claims of one key, and keys take turns. A key with a thousand different claims thus
 * delays another's by one statement.
 */
export class Claimer {
  readonly #context: JobsContext;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #id = randomUUID();
  readonly #groups = new Map<string, Group>();
  /** The groups for which there may be work. */
  readonly #due = new FairQueue<Group>();
  /** How many claims each key has here. */
  readonly #claims = new Map<string | null, number>();
  /** The last turn of each group. */
  readonly #turns = new Map<string, Turn>();
  #unsubscribe: Unsubscribe[] = [];
  readonly #loop: Loop;
  #stopped = false;

  constructor(context: JobsContext, bus: Bus, log: Log) {
    this.#context = context;
    this.#bus = bus;
    this.#log = log;
    this.#loop = new Loop({ name: 'claiming', work: (run) => this.#serveNext(run), pollMilliseconds, log });
  }

  async start(): Promise<void> {
    this.#unsubscribe = [
      await this.#bus.subscribe(workTopic, (message) => this.#wakeFor(parseWork(message))),
      await this.#bus.subscribe(leavingTopic, (message) => this.#heardOfLeaving(message)),
      this.#bus.onReconnect(() => this.#wakeAll()),
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
    for (const waiting of this.#all()) this.#answer(waiting, []);
    await this.#loop.stop();
  }

  /** How many claims wait, for metrics. */
  get size(): number {
    let size = 0;
    for (const { waiting } of this.#groups.values()) size += waiting.size;
    return size;
  }

  /**
   * Claims up to `limit` jobs. If there are none, waits up to `waitSeconds` for some.
   *
   * @param signal ends the wait when the caller is gone. Jobs claimed for it in the meantime are released.
   * @throws ValidationError, also for an unregistered type, because its worker would wait forever; RATE_LIMITED for a key
   *   with too many claims
   */
  async claim(scope: WorkspaceScope, request: Claim, signal: AbortSignal | null = null): Promise<StartedAttempt[]> {
    const { types, jobIds = null, without, limit, workerId, apiKeyId = null, waitSeconds } = parseInput(claimSchema, request);
    this.#refuseUnknown(types);
    if (this.#stopped || signal?.aborted) return [];
    this.#refuseTooMany(apiKeyId);
    const patient = (waitSeconds ?? 0) > 0;
    const claimed = jobIds === null ? types : [];
    this.#context.workforce.claimed(scope, workerId, claimed);
    const timer = new AbortController();
    try {
      return await new Promise<StartedAttempt[]>((resolve, reject) => {
        const group = this.#group({ apiKeyId, scope, types: new Set(types.toSorted()), jobIds, without: new Set(without?.toSorted()) });
        const waiting: Waiting = { limit: limit ?? 1, workerId, group, signal, patient, resolve, reject };
        this.#enter(waiting);
        const giveUp = () => this.#answer(waiting, []);
        signal?.addEventListener('abort', giveUp, { signal: timer.signal });
        if (patient) delay((waitSeconds ?? 0) * 1_000, null, timer).then(giveUp, () => undefined);
        this.#wake([group]);
      });
    } finally {
      // It makes an error, with a stack.
      if (patient || signal !== null) timer.abort();
      // Again: a wait is longer than a worker is written.
      if (patient) this.#context.workforce.claimed(scope, workerId, claimed);
    }
  }

  /**
   * Hands an attempt back, as a worker does that is about to stop. Its waiting claims, on whatever process, are answered
   * first: one of them would get the job again, and nobody would be there to work on it.
   *
   * Other processes are told over the bus, which is not awaited: a claim there that polls before the message arrives may
   * still get the job. Its attempt then counts when its lease ends.
   *
   * @throws ValidationError, LeaseLostError
   */
  async release(scope: WorkspaceScope, request: { token: string }): Promise<Job> {
    const ref = decodeLeaseToken(request.token);
    const workerId = ref === null ? null : await findWorker(this.#context, scope, ref);
    if (workerId !== null) {
      this.#dismiss(scope, workerId);
      this.#bus.publish(leavingTopic, JSON.stringify([this.#id, scope, workerId]));
    }
    return releaseJob(this.#context, scope, request);
  }

  #refuseUnknown(types: readonly string[]): void {
    const issues = types.flatMap((name, index): FieldIssue[] =>
      this.#context.types.get(name) === undefined
        ? [{ path: ['types', String(index)], message: unknownTypeMessage(name, this.#context.types) }]
        : [],
    );
    if (issues.length > 0) throw new ValidationError(issues);
  }

  #refuseTooMany(apiKeyId: string | null): void {
    const { maxWaitingClaimsPerKey } = this.#context.limits;
    if (apiKeyId === null || (this.#claims.get(apiKeyId) ?? 0) < maxWaitingClaimsPerKey) return;
    throw new RateLimitedError(
      `${maxWaitingClaimsPerKey} claims of this key wait on this process, its limit. Claim several jobs at once with \`limit\`.`,
      crowdedRetrySeconds,
    );
  }

  #group(asked: Omit<Group, 'id' | 'waiting'>): Group {
    const id = JSON.stringify([asked.apiKeyId, asked.scope, [...asked.types], asked.jobIds, [...asked.without]]);
    return this.#groups.get(id) ?? { ...asked, id, waiting: new Set() };
  }

  #enter(waiting: Waiting): void {
    const { group } = waiting;
    group.waiting.add(waiting);
    this.#groups.set(group.id, group);
    this.#claims.set(group.apiKeyId, (this.#claims.get(group.apiKeyId) ?? 0) + 1);
  }

  /** Returns false if it has left before. */
  #leave(waiting: Waiting): boolean {
    const { group } = waiting;
    if (!group.waiting.delete(waiting)) return false;
    const claims = (this.#claims.get(group.apiKeyId) ?? 0) - 1;
    if (claims > 0) this.#claims.set(group.apiKeyId, claims);
    else this.#claims.delete(group.apiKeyId);
    if (group.waiting.size === 0) {
      this.#groups.delete(group.id);
      this.#due.delete(ownerOf(group), group);
    }
    return true;
  }

  #all(): Waiting[] {
    return [...this.#groups.values()].flatMap(({ waiting }) => [...waiting]);
  }

  /** Answers the waiting claims of a worker that is about to stop. */
  #dismiss(scope: WorkspaceScope, workerId: string): void {
    for (const waiting of this.#all()) {
      if (waiting.patient && waiting.workerId === workerId && waiting.group.scope === scope) this.#answer(waiting, []);
    }
  }

  /** From another process. One's own message comes too late: the worker may have begun to claim again. */
  #heardOfLeaving(message: string): void {
    const [from, scope, workerId] = leaving.parse(JSON.parse(message));
    if (from !== this.#id) this.#dismiss(scope, workerId);
  }

  #wakeFor(work: readonly Work[]): void {
    const byWorkspace = Map.groupBy(work, ({ workspaceId }) => workspaceId);
    const wanted = [...this.#groups.values()].filter(({ scope, types, without }) => {
      const own = scope === null ? work.filter(({ workspaceId }) => !without.has(workspaceId)) : [...(byWorkspace.get(scope) ?? []), ...(byWorkspace.get(anyWorkspace) ?? [])];
      const available = new Set(own.map(({ type }) => type));
      return available.has(anyType) || !available.isDisjointFrom(types);
    });
    this.#wake(wanted);
  }

  #wakeAll(): void {
    this.#wake([...this.#groups.values()]);
  }

  #wake(groups: readonly Group[]): void {
    for (const group of groups) this.#due.add(ownerOf(group), group);
    if (!this.#due.isEmpty) this.#loop.wake();
  }

  async #serveNext({ polled }: Run): Promise<Went | void> {
    if (polled) this.#wakeAll();
    const group = this.#due.take();
    const went = group === undefined ? 'idle' : await this.#serve(group);
    if (!this.#due.isEmpty) this.#loop.wake();
    return went;
  }

  async #serve(group: Group): Promise<'failed' | void> {
    let went: 'failed' | undefined;
    // Whoever comes while the statement runs has its own after it.
    const all = [...group.waiting];
    const waiters = all.slice(0, mostAttempts);
    const assignees = assignInTurns(waiters);
    try {
      const started = await this.#claimFor(group, assignees);
      this.#handOut(assignees, started);
      // If there was not enough for these, there is nothing for the others.
      if (started.length < assignees.length) {
        for (const waiting of all) if (!waiting.patient) this.#answer(waiting, []);
        return;
      }
    } catch (error) {
      went = 'failed';
      for (const waiting of waiters) if (this.#leave(waiting)) waiting.reject(error);
    }
    if (group.waiting.size > 0) this.#due.add(ownerOf(group), group);
    return went;
  }

  async #claimFor(group: Group, assignees: readonly Waiting[]): Promise<StartedAttempt[]> {
    const started: StartedAttempt[] = [];
    let { after, limits } = this.#turns.get(group.id) ?? firstTurn;
    const origin = after;
    let { settling } = this.#context.concurrencyKeys;
    // Looking at a few workspaces satisfies nearly every claim. If nothing in them may start, look at more.
    for (let workspaces = assignees.length + 4; ; workspaces = Math.min(workspaces * 4, 256)) {
      const result = await this.#round({
        scope: group.scope,
        types: [...group.types],
        jobIds: group.jobIds,
        without: [...group.without],
        workerIds: assignees.slice(started.length).map(({ workerId }) => workerId),
        apiKeyId: group.apiKeyId,
        after,
        workspaces,
        limits,
      }).catch((error: unknown) => {
        // Hand out what earlier rounds started. If the error persists, the next claim throws it.
        if (started.length === 0) throw error;
        return { started: [], after: firstWorkspace, wentRound: true, meetsLimit: limits };
      });
      started.push(...result.started);
      const wentRound = result.wentRound || leadsPast(origin, after, result.after);
      after = result.after;
      limits = result.meetsLimit;
      this.#remember(group.id, { after, limits });
      if (started.length >= assignees.length) return started;
      if (wentRound) {
        // Whoever has just ended a job and asks for another, without waiting, gets the one that its key has a seat for now.
        if (settling === null || assignees.every(({ patient }) => patient)) return started;
        await settling;
        settling = null;
      }
    }
  }

  /** One round, and another that sees to limits if it has met one and did not expect any. */
  async #round(round: ClaimRound): Promise<ClaimRoundResult> {
    const result = await claimRound(this.#context, round);
    return result.meetsLimit && !round.limits ? claimRound(this.#context, { ...round, limits: true }) : result;
  }

  #handOut(assignees: readonly Waiting[], started: StartedAttempt[]): void {
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
    if (this.#leave(waiting) && !waiting.signal?.aborted) {
      waiting.resolve(share);
      return;
    }
    waiting.resolve([]);
    for (const { job, token } of share) {
      const request = { token: encodeLeaseToken({ jobId: job.id, token }) };
      releaseJob(this.#context, waiting.group.scope, request).catch((error: unknown) =>
        this.#log.warn({ err: error, jobId: job.id }, 'could not release a job claimed for a worker that left'),
      );
    }
  }

  /** Remembers how a group's next turn begins. Beyond 1,000 groups it drops the oldest, which then starts over. */
  #remember(group: string, turn: Turn): void {
    this.#turns.delete(group);
    this.#turns.set(group, turn);
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
