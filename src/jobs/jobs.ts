import type { Loop } from '../concurrency/loop.ts';
import { FairLanes } from '../concurrency/fair-lanes.ts';
import type { Database } from '../database/database.ts';
import type { Window } from '../database/keyset.ts';
import type { StoredFile } from '../files/store.ts';
import type { Log } from '../log.ts';
import type { StartedAttempt } from './claim/claim.ts';
import { type Claim, Claimer } from './claim/claimer.ts';
import { findHeldJob } from './claim/held.ts';
import { promoteDueJobs } from './claim/promote.ts';
import { settleUnsettled } from './claim/slots.ts';
import { createJob, createJobs } from './create/create.ts';
import { type ContextParts, createContext } from './create-context.ts';
import { CreationQueue } from './create/creation-queue.ts';
import { type EarlierJob, findEarlier, noteJoined } from './create/idempotency.ts';
import type { JobOrigin, JobRequest } from './create/job-request.ts';
import { countPending } from './create/queue-room.ts';
import { requestKeyOf } from './create/request-key.ts';
import { retryJob } from './create/retry.ts';
import { cancelJob } from './end/cancel.ts';
import { type Completion, completeJob } from './end/complete.ts';
import { expireLeases } from './end/expire.ts';
import { type FailedAttempt, failJob } from './end/fail.ts';
import { type Moment, presentMoment } from './feed/changes.ts';
import { Feed } from './feed/feed.ts';
import { jobMatcher } from './feed/job-matcher.ts';
import { Updates, type UpdatesRequest, type UpdatesWatch } from './feed/updates.ts';
import type { JobLimits, JobsContext } from './model/context.ts';
import type { WorkspaceScope } from './model/workspace-scope.ts';
import type { Job } from './model/job.ts';
import { isPending } from './model/state-machine.ts';
import { type Report, reportProgress } from './progress/report.ts';
import { ReportQueue } from './progress/report-queue.ts';
import { type JobAttempt, listAttempts } from './read/attempts.ts';
import type { JobFilter } from './read/filter.ts';
import { type IdForm, JobIds } from './read/job-ids.ts';
import { type Found, JobReads, type KnownJob } from './read/job-reads.ts';
import { type Counted, countJobs, countJobsTo, listJobs } from './read/list.ts';
import { type JobState, recentStatuses, type StatusFilter } from './read/recent-statuses.ts';
import { deleteOldChanges } from './retention/change-retention.ts';
import { deleteOldStatistics } from './retention/statistics-retention.ts';
import { countByStatus, type JobCounts } from './statistics/counts.ts';
import { rollUp } from './statistics/roll-up.ts';
import { readStatistics, type StatisticsAsked, type StatisticsPoint } from './statistics/statistics.ts';
import { pauseType } from './pausing/pause-type.ts';
import { Pauses } from './pausing/pauses.ts';
import { updateWorkspace, type WorkspaceUpdate } from './pausing/update-workspace.ts';
import type { JobType } from './types/job-type.ts';
import type { JobTypes } from './types/registry.ts';
import { countHeld, findWorkerById, forgetSilentWorkers, listWorkers, type Worker } from './workers/list.ts';
import { type JobWarning, warningsFor } from './workers/warnings.ts';
import { Workforce } from './workers/workforce.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { forgetOldKeys } from '../workspaces/idempotency-key.ts';

/** The dependencies of the domain. */
export interface JobsParts extends Omit<ContextParts, 'workforce' | 'pauses'> {
  log: Log;
  /** How surfaces name jobs beside their UUIDs. */
  idForms: readonly IdForm[];
  /** The job types that a built-in worker takes, where one runs. */
  builtInTypes: ReadonlySet<string>;
}

/** Which updates of a workspace to watch, and who may see them. */
type UpdatesWanted = Omit<UpdatesRequest, 'matches'> & {
  filter: Pick<JobFilter, 'ids' | 'types' | 'tags'>;
  /** Called for each update. */
  maySee: (job: Job) => boolean;
};

/** The most exact counts of a workspace that wait: as many as one operation may have aliases. */
const mostWaitingCounts = 50;

/**
 * The domain facade. Surfaces, workers and webhooks use only this: it has one method per operation on jobs. The
 * function that each method calls documents what it throws. A scope is a workspace id, or null for WORK_ALL.
 */
export class Jobs {
  readonly types: JobTypes;
  readonly limits: JobLimits;
  readonly ids: JobIds;
  readonly builtInTypes: ReadonlySet<string>;
  readonly #workforce: Workforce;
  readonly #pauses: Pauses;
  readonly #database: Database;
  readonly #context: JobsContext;
  readonly #reads: JobReads;
  readonly #creations: CreationQueue;
  readonly #reports: ReportQueue;
  readonly #feed: Feed;
  readonly #updates: Updates;
  readonly #claimer: Claimer;
  readonly #counts: FairLanes;

  constructor(parts: JobsParts) {
    const { database, bus, log, types, limits } = parts;
    this.types = types;
    this.limits = limits;
    this.ids = new JobIds(database, parts.idForms);
    this.#database = database;
    this.builtInTypes = parts.builtInTypes;
    this.#workforce = new Workforce(database, log);
    this.#pauses = new Pauses(database, bus, log);
    this.#context = createContext({ ...parts, workforce: this.#workforce, pauses: this.#pauses });
    this.#reads = new JobReads(database);
    this.#creations = new CreationQueue(this.#context);
    this.#reports = new ReportQueue(this.#context);
    this.#feed = new Feed(database, bus, log);
    this.#updates = new Updates(database, bus, log);
    this.#claimer = new Claimer(this.#context, bus, log);
    this.#counts = new FairLanes({
      // One connection stays for lists.
      lanes: Math.max(1, database.readers - 1),
      mostWaiting: mostWaitingCounts,
      tooMany: `${mostWaitingCounts} exact counts of this workspace wait already.`,
    });
  }

  /** Subscribes to the bus and begins to hand out work. */
  async start(): Promise<void> {
    this.#feed.start();
    this.#updates.start();
    await this.#workforce.start();
    await this.#pauses.start();
    await this.#claimer.start();
  }

  /** The work that goes on by itself, for health. */
  get loops(): readonly Loop[] {
    return [this.#claimer.loop, this.#feed.loop, this.#workforce.loop, this.#pauses.loop];
  }

  /** Answers all waiting claims with no jobs and accepts no more claims. May be called twice. */
  stopClaims(): Promise<void> {
    return this.#claimer.stop();
  }

  /** Ends every watch and writes the queued reports. May be called twice. */
  async stop(): Promise<void> {
    await this.stopClaims();
    await Promise.all([this.#updates.stop(), this.#feed.stop(), this.#reports.drain()]);
    await this.#pauses.stop();
    await this.#workforce.stop();
  }

  create(workspaceId: string, asked: JobRequest, origin: JobOrigin): Promise<Job> {
    return createJob(this.#context, this.#creations, workspaceId, asked, origin);
  }

  /** The job that this request got with the key in the last 24 hours; null if the key is new. `origin.sent` is the request. */
  async earlier(workspaceId: string, idempotencyKey: string, origin: JobOrigin): Promise<EarlierJob | null> {
    const key = requestKeyOf({ idempotencyKey }, origin);
    const earlier = await findEarlier(this.#context, workspaceId, key === null ? [] : [key]);
    return earlier.get(idempotencyKey) ?? null;
  }

  /** Notes that this request is answered with a job that it did not make. Returns whether its key was free. */
  async join(workspaceId: string, idempotencyKey: string, origin: JobOrigin, jobId: string): Promise<boolean> {
    const key = requestKeyOf({ idempotencyKey }, origin);
    return key === null || noteJoined(this.#context, workspaceId, key, jobId);
  }

  /** Creates all jobs or none, and returns them in the order given. */
  createMany(workspaceId: string, asked: JobRequest[], origin: JobOrigin): Promise<Job[]> {
    return createJobs(this.#context, this.#creations, workspaceId, asked, origin);
  }

  retry(workspaceId: string, id: string, idempotencyKey: string | null): Promise<Job> {
    return retryJob(this.#context, this.#creations, workspaceId, id, idempotencyKey);
  }

  cancel(workspaceId: string, id: string, request: { reason?: string | null | undefined } = {}): Promise<Job> {
    return cancelJob(this.#context, workspaceId, id, request);
  }

  /** What keeps jobs that still wait from running: one warning for each code and type. */
  warnings(workspaceId: string, jobs: readonly Job[]): JobWarning[] {
    return warningsFor(this.#context, workspaceId, jobs.filter(({ status }) => isPending(status)).map(({ type }) => type));
  }

  /** Changes a workspace. A lower limit and a pause stop claims, not what runs. */
  updateWorkspace(id: string, update: WorkspaceUpdate): Promise<Workspace> {
    return updateWorkspace(this.#context, id, update);
  }

  /** Lets the jobs of a type wait, in every workspace, or lets them go on. */
  pauseType(name: string, paused: boolean): Promise<JobType> {
    return pauseType(this.#context, name, paused);
  }

  /** Whether the jobs of a type wait, in every workspace. */
  isTypePaused(name: string): boolean {
    return this.#pauses.hasType(name);
  }

  /** How many workers that are alive take jobs of this type in this workspace. */
  liveWorkers(workspaceId: string, type: string): number {
    return this.#workforce.count(workspaceId, type);
  }

  /** @param alive null for all */
  workers(workspaceId: string, alive: boolean | null, window: Window): Promise<Worker[]> {
    return listWorkers(this.#database.reads, workspaceId, alive, window);
  }

  /** Returns null if the worker does not exist or claims with a key of another workspace. */
  findWorker(workspaceId: string, id: string): Promise<Worker | null> {
    return findWorkerById(this.#database.reads, workspaceId, id);
  }

  /** How many jobs each of these workers of a workspace holds now, by name. */
  countHeld(workspaceId: string, names: readonly string[]): Promise<Map<string, number>> {
    return countHeld(this.#database.reads, workspaceId, names);
  }

  claim(scope: WorkspaceScope, request: Claim, signal?: AbortSignal | null): Promise<StartedAttempt[]> {
    return this.#claimer.claim(scope, request, signal);
  }

  /** Resolves with the new expiry of the lease. */
  report(scope: WorkspaceScope, report: Report): Promise<Date> {
    return reportProgress(this.#reports, scope, report);
  }

  complete(scope: WorkspaceScope, completion: Completion, file?: StoredFile | null): Promise<Job> {
    return completeJob(this.#context, scope, completion, file);
  }

  fail(scope: WorkspaceScope, failure: FailedAttempt): Promise<Job> {
    return failJob(this.#context, scope, failure);
  }

  release(scope: WorkspaceScope, request: { token: string }): Promise<Job> {
    return this.#claimer.release(scope, request);
  }

  /** Returns null if the job does not exist or belongs to another workspace. */
  find(workspaceId: string, id: string): Promise<Job | null> {
    return this.#reads.find(workspaceId, id);
  }

  /** Returns null unless a worker with this key holds the job now, in whatever workspace. */
  findHeld(apiKeyId: string, id: string): Promise<Job | null> {
    return findHeldJob(this.#database.hot, apiKeyId, id);
  }

  /** Reads a job again, or tells that the caller's copy is current. */
  findChanged(known: KnownJob): Promise<Found> {
    return this.#reads.findChanged(known);
  }

  /** How many reads were requested, and how many statements served them. */
  get readCounts(): Readonly<{ reads: number; statements: number }> {
    return this.#reads.counted;
  }

  list(workspaceId: string, filter: JobFilter, window: Window, properties?: ReadonlySet<keyof Job> | null): Promise<Job[]> {
    return listJobs(this.#database, workspaceId, filter, window, properties);
  }

  /**
   * Counts exactly, which costs as much as there is to count. So a workspace has one count at a time, and workspaces take
   * turns.
   *
   * @throws RATE_LIMITED if too many counts of the workspace wait; ValidationError for an invalid filter
   */
  count(workspaceId: string, filter: JobFilter): Promise<Counted> {
    return this.#counts.run(workspaceId, () => countJobs(this.#database.reads, workspaceId, filter));
  }

  /** Counts no further than to `most`. Takes its turn like an exact count, because a filter may match little of what is there. */
  countTo(workspaceId: string, filter: JobFilter, most: number): Promise<Counted> {
    return this.#counts.run(workspaceId, () => countJobsTo(this.#database.reads, workspaceId, filter, most));
  }

  /** Counts pending jobs, up to MAX_QUEUE_LENGTH. */
  countPending(workspaceId: string): Promise<number> {
    return countPending(this.#database.reads, this.#context.limits.maxQueueLength, workspaceId);
  }

  /** The workspace's jobs by status and type, from sums that are kept as jobs change. */
  countByStatus(workspaceId: string): Promise<JobCounts> {
    return countByStatus(this.#database.reads, workspaceId);
  }

  /** What happened in each step of a range of time. Throws BAD_USER_INPUT for a range without a step or with too many. */
  statistics(workspaceId: string, asked: StatisticsAsked): Promise<StatisticsPoint[]> {
    return readStatistics(this.#database.reads, workspaceId, asked);
  }

  attempts(jobIds: readonly string[]): Promise<JobAttempt[]> {
    return listAttempts(this.#database.em(), jobIds);
  }

  /** The jobs whose status changed within the last `seconds`, latest change first. */
  recentStatuses(workspaceId: string, seconds: number, filter: StatusFilter): Promise<JobState[]> {
    return recentStatuses(this.#database.reads, workspaceId, seconds, filter);
  }

  /** Yields the current and later versions of a job, or those after `afterVersion`. Ends with the final version. */
  watch(id: string, afterVersion?: number, signal?: AbortSignal | null): AsyncIterableIterator<Job, void, void> {
    return this.#feed.watch(id, afterVersion, signal);
  }

  /** Reads a watched job again, for a client that joins an existing watch. */
  look(id: string): void {
    this.#feed.look(id);
  }

  /** Watches the jobs of a workspace, from a cursor on. Throws ValidationError for an invalid filter. */
  updates({ filter, maySee, ...watch }: UpdatesWanted): UpdatesWatch {
    const matches = jobMatcher(filter);
    return this.#updates.watch({ ...watch, matches: (job) => maySee(job) && matches(job) });
  }

  /** The current position in the change log, to resume from. */
  presentMoment(): Promise<Moment> {
    return presentMoment(this.#database.hot);
  }

  /** How many jobs and workspaces this process watches, and how many updates wait for their watchers. */
  get watched(): { jobs: number; workspaces: number; waitingUpdates: number } {
    return { jobs: this.#feed.size, workspaces: this.#updates.size, waitingUpdates: this.#updates.waiting };
  }

  /** How many claims wait for work on this process. */
  get waitingClaims(): number {
    return this.#claimer.size;
  }

  /** Wakes the webhook sender of this process. */
  deliveryNoted(): void {
    this.#context.announcer.deliveryNoted();
  }

  /** Sets the listener that runs, in this process only, when a webhook delivery is recorded. Null removes it. */
  onDeliveryNoted(listener: (() => void) | null): void {
    this.#context.announcer.onDeliveryNoted(listener);
  }

  /** Ends attempts whose lease expired or that timed out. Throws AggregateError if some could not be ended. */
  async expireLeases(): Promise<void> {
    await expireLeases(this.#context);
  }

  /** Makes jobs claimable whose runAt or backoff has passed. */
  async promoteDue(): Promise<void> {
    await promoteDueJobs(this.#context);
  }

  /** Lets workspaces claim again that have run more jobs than a lowered limit allows, and do not any more. */
  async settleLimits(): Promise<void> {
    for (const id of await settleUnsettled(this.#database)) this.#context.announcer.slotFreed(id);
  }

  /** Adds what the change log has gained to the counts and statistics. */
  async rollUp(): Promise<void> {
    await rollUp(this.#database);
  }

  /** Deletes workers that are gone, expired idempotency keys, old rows of the change log, and old points of the statistics. */
  async forgetOld(): Promise<void> {
    await forgetSilentWorkers(this.#database.reads);
    await forgetOldKeys(this.#database.em());
    await deleteOldChanges(this.#database.reads);
    await deleteOldStatistics(this.#database.reads);
  }
}
