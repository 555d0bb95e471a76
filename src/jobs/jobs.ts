import type { Loop } from '../concurrency/loop.ts';
import type { Database } from '../database/database.ts';
import type { Window } from '../database/keyset.ts';
import type { NamedFile } from '../files/named-file.ts';
import type { JsonValue } from '../json.ts';
import { BulkActions } from './bulk/bulk-actions.ts';
import type { StartedAttempt } from './claim/claim.ts';
import type { Claim } from './claim/claim-request.ts';
import { Claimer } from './claim/claimer.ts';
import { findHeldJob, type HeldLeaseRef, requireLease } from './claim/held.ts';
import { readEnded } from './claim/ended-leases.ts';
import { type Listening, type LostLease, LostLeases } from './claim/lost-leases.ts';
import { createJob, createJobs } from './create/create.ts';
import { type ContextParts, createContext } from './create-context.ts';
import { CreationQueue } from './create/creation-queue.ts';
import { type EarlierJob, findEarlier, noteJoined } from './create/idempotency.ts';
import type { JobOrigin, JobRequest } from './create/job-request.ts';
import { QueueRoom } from './create/queue-room.ts';
import { requestKeyOf } from './create/request-key.ts';
import { retryJob } from './create/retry.ts';
import { cancelJob } from './end/cancel.ts';
import { type Completion, type CompletionOutcome, completeJob, completeJobs } from './end/complete.ts';
import { type FailedAttempt, failJob } from './end/fail.ts';
import { type Moment, presentMoment } from './feed/changes.ts';
import { Feed } from './feed/feed.ts';
import { jobMatcher } from './feed/job-matcher.ts';
import { Updates, type UpdatesRequest, type UpdatesWatch } from './feed/updates.ts';
import { JobLogs } from './logs/job-logs.ts';
import type { JobLimits, JobsContext } from './model/context.ts';
import type { WorkspaceScope } from './model/workspace-scope.ts';
import type { Job } from './model/job.ts';
import { type ImposedOutcome, isPending } from './model/state-machine.ts';
import { findCheckpoints } from './progress/checkpoints.ts';
import { type Report, reportProgress } from './progress/report.ts';
import { ReportQueue } from './progress/report-queue.ts';
import { type JobAttempt, listAttempts } from './read/attempts.ts';
import type { JobFilter } from './read/filter.ts';
import { findUnnamedFiles, type UnnamedFiles } from './read/unnamed-files.ts';
import { type IdForm, JobIds } from './read/job-ids.ts';
import { type JobUpload, listJobUploads } from './read/job-uploads.ts';
import { type Found, JobReads, type KnownJob } from './read/job-reads.ts';
import { Counting } from './read/counting.ts';
import { listJobs } from './read/list.ts';
import { type JobState, recentStatuses, type StatusFilter } from './read/recent-statuses.ts';
import type { RemoveFile } from './retention/delete-jobs.ts';
import { countOldChanges } from './retention/change-retention.ts';
import { JobRetention } from './retention/job-retention.ts';
import { readStatistics, type StatisticsAsked, type StatisticsPoint } from './statistics/statistics.ts';
import { pauseType } from './pausing/pause-type.ts';
import { Pauses } from './pausing/pauses.ts';
import { updateWorkspace, type WorkspaceUpdate } from './pausing/update-workspace.ts';
import { Schedules } from './schedules/schedules.ts';
import type { JobType } from './types/job-type.ts';
import type { JobTypes } from './types/registry.ts';
import { Upkeep } from './upkeep.ts';
import type { BuiltIns } from './workers/built-ins.ts';
import { type JobWarning, warningsFor } from './workers/warnings.ts';
import { Workers } from './workers/workers.ts';
import { Workforce } from './workers/workforce.ts';
import type { Actor } from '../workspaces/audit/record.ts';
import type { Submitter } from '../workspaces/viewer.ts';
import type { Workspace } from '../workspaces/workspace.ts';

/** The dependencies of the domain. */
interface JobsParts extends Omit<ContextParts, 'workforce' | 'pauses'> {
  /** How surfaces name jobs beside their UUIDs. */
  idForms: readonly IdForm[];
  /** The job types that a built-in worker takes, where one runs. */
  builtIns: BuiltIns;
  /** Removes a result file from the volume. */
  removeFile: RemoveFile;
  /** Days for which jobs are kept after their end; 0 for ever. */
  retentionDays: number;
}

/** Which updates of a workspace to watch, and who may see them. */
type UpdatesWanted = Omit<UpdatesRequest, 'matches'> & {
  filter: Pick<JobFilter, 'ids' | 'types' | 'tags'>;
  /** Called for each update. */
  maySee: (job: Job) => boolean;
};

/**
 * The domain facade. Surfaces, workers and webhooks use only this: it has one method per operation on jobs, and `bulk`, `schedules`,
 * `logs`, `counting`, `workers` and `upkeep` have those on what they are called after. The function that each method calls documents what it throws. A
 * scope is a workspace id, or null for WORK_ALL.
 */
export class Jobs {
  readonly types: JobTypes;
  readonly limits: JobLimits;
  readonly ids: JobIds;
  readonly builtIns: BuiltIns;
  /** Things done to many jobs. */
  readonly bulk: BulkActions;
  /** What creates jobs again and again. */
  readonly schedules: Schedules;
  /** What workers write down. */
  readonly logs: JobLogs;
  /** How many there are. */
  readonly counting: Counting;
  /** Who claims jobs. */
  readonly workers: Workers;
  readonly upkeep: Upkeep;
  readonly #retention: JobRetention;
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
  readonly #lostLeases: LostLeases;

  constructor(parts: JobsParts) {
    const { database, bus, log, types, limits } = parts;
    this.types = types;
    this.limits = limits;
    this.ids = new JobIds(database, parts.idForms);
    this.#database = database;
    this.builtIns = parts.builtIns;
    this.#workforce = new Workforce(database, log);
    this.workers = new Workers(database, this.#workforce);
    this.#pauses = new Pauses(database, bus, log);
    this.#context = createContext({ ...parts, workforce: this.#workforce, pauses: this.#pauses });
    this.#reads = new JobReads(database);
    this.upkeep = new Upkeep(this.#context, database);
    const room = new QueueRoom(this.#context);
    this.#creations = new CreationQueue(this.#context, room);
    this.#reports = new ReportQueue(this.#context);
    this.logs = new JobLogs({ context: this.#context, reports: this.#reports, database, bus, log });
    this.#feed = new Feed(database, bus, log);
    this.#updates = new Updates(database, bus, log);
    this.#claimer = new Claimer(this.#context, bus, log);
    this.#lostLeases = new LostLeases(database, bus, log);
    this.schedules = new Schedules(this.#context, log);
    this.counting = new Counting(database, limits);
    const { removeFile, retentionDays } = parts;
    this.#retention = new JobRetention({ database, types, days: retentionDays, removeFile, log });
    this.bulk = new BulkActions({
      context: this.#context,
      room,
      bus,
      log,
      removeFile,
      counting: this.counting,
    });
  }

  /** Subscribes to the bus and begins to hand out work. */
  async start(): Promise<void> {
    this.#feed.start();
    this.logs.start();
    this.#updates.start();
    this.#lostLeases.start();
    await this.#workforce.start();
    await this.#pauses.start();
    this.#context.concurrencyKeys.loop.start();
    await this.#claimer.start();
    this.bulk.loop.start();
    this.schedules.start();
    this.#retention.loop.start();
    this.#retention.loop.wake();
  }

  /** The work that goes on by itself, for health. */
  get loops(): readonly Loop[] {
    return [
      this.#claimer.loop,
      this.#context.concurrencyKeys.loop,
      this.#feed.loop,
      this.logs.loop,
      this.#workforce.loop,
      this.#pauses.loop,
      this.#lostLeases.loop,
      this.bulk.loop,
      this.schedules.loop,
      this.#retention.loop,
    ];
  }

  /** Answers all waiting claims with no jobs and accepts no more claims. May be called twice. */
  stopClaims(): Promise<void> {
    return this.#claimer.stop();
  }

  /** Ends every watch and writes the queued reports and lines. May be called twice. */
  async stop(): Promise<void> {
    await this.stopClaims();
    await this.bulk.loop.stop();
    await this.schedules.stop();
    await this.#retention.stop();
    const watches = [this.#updates, this.#feed, this.logs, this.#lostLeases];
    await Promise.all(watches.map((each) => each.stop()));
    // Lines renew leases by reports.
    await this.#reports.drain();
    await this.#context.concurrencyKeys.loop.stop();
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
    return earlier.get(key?.text ?? '') ?? null;
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

  retry(workspaceId: string, id: string, idempotencyKey: string | null, submitter: Submitter | null = null): Promise<Job> {
    return retryJob(this.#context, this.#creations, { workspaceId, id, idempotencyKey, submitter });
  }

  cancel(workspaceId: string, id: string, request: { reason?: string | null | undefined } = {}): Promise<Job> {
    return cancelJob(this.#context, workspaceId, id, request);
  }

  /** What keeps jobs that still wait from running: one warning for each code and type. */
  warnings(workspaceId: string, jobs: readonly Job[]): JobWarning[] {
    return warningsFor({ ...this.#context, builtIns: this.builtIns }, workspaceId, jobs.filter(({ status }) => isPending(status)).map(({ type }) => type));
  }

  /** Changes a workspace. A lower limit and a pause stop claims, not what runs. */
  updateWorkspace(id: string, update: WorkspaceUpdate, by?: Actor): Promise<Workspace> {
    return updateWorkspace(this.#context, id, update, by);
  }

  /** Lets the jobs of a type wait, in every workspace, or lets them go on. */
  pauseType(name: string, paused: boolean, by?: Actor): Promise<JobType> {
    return pauseType(this.#context, name, paused, by);
  }

  /** Whether the jobs of a type wait, in every workspace. */
  isTypePaused(name: string): boolean {
    return this.#pauses.hasType(name);
  }

  claim(scope: WorkspaceScope, request: Claim, signal?: AbortSignal | null): Promise<StartedAttempt[]> {
    return this.#claimer.claim(scope, request, signal);
  }

  /** Resolves with the new expiry of the lease. */
  report(scope: WorkspaceScope, report: Report): Promise<Date> {
    return reportProgress(this.#reports, scope, report);
  }

  /** What earlier attempts left to the workers that hold these jobs now, by job id. */
  checkpoints(held: readonly Pick<Job, 'id' | 'workspaceId'>[]): Promise<Map<string, JsonValue>> {
    return findCheckpoints(this.#database.hot, held);
  }

  complete(scope: WorkspaceScope, completion: Completion, artifacts?: readonly NamedFile[]): Promise<Job> {
    return completeJob(this.#context, scope, completion, artifacts);
  }

  /** Completes jobs, each for itself, and returns what became of each in the order given. */
  completeMany(scope: WorkspaceScope, completions: readonly Completion[]): Promise<CompletionOutcome[]> {
    return completeJobs(this.#context, scope, completions);
  }

  fail(scope: WorkspaceScope, failure: FailedAttempt): Promise<Job> {
    return failJob(this.#context, scope, failure);
  }

  release(scope: WorkspaceScope, request: { token: string }): Promise<Job> {
    return this.#claimer.release(scope, request);
  }

  /**
   * Yields the leases of a worker that end without its word, as they end. Resolves once every later end is heard. It does not
   * end by itself.
   */
  lostLeases(listening: Listening): Promise<AsyncIterableIterator<LostLease, void, void>> {
    return this.#lostLeases.listen(listening);
  }

  /** How an attempt ended other than by its worker's word; null if it did not. */
  async imposedOn(attempt: { jobId: string; attempt: number }): Promise<ImposedOutcome | null> {
    const [ended] = await readEnded(this.#database.hot, [attempt]);
    return ended?.outcome ?? null;
  }

  /** Returns null if the job does not exist or belongs to another workspace. */
  find(workspaceId: string, id: string): Promise<Job | null> {
    return this.#reads.find(workspaceId, id);
  }

  /** Those of these files of a workspace that nothing names, and who may still name them. */
  findUnnamedFiles(workspaceId: string, ids: readonly string[]): Promise<UnnamedFiles> {
    return findUnnamedFiles(this.#database.reads, workspaceId, ids);
  }

  /** Returns null unless a worker with this key holds the job now, in whatever workspace. */
  findHeld(apiKeyId: string, id: string): Promise<Job | null> {
    return findHeldJob(this.#database.hot, apiKeyId, id);
  }

  /** The lease that a worker holds now. Throws LeaseLostError. */
  heldLease(scope: WorkspaceScope, token: string): Promise<HeldLeaseRef> {
    return requireLease(this.#context, scope, token);
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

  /** What happened in each step of a range of time. Throws BAD_USER_INPUT for a range without a step or with too many. */
  statistics(workspaceId: string, asked: StatisticsAsked): Promise<StatisticsPoint[]> {
    return readStatistics(this.#database.reads, workspaceId, asked);
  }

  attempts(jobIds: readonly string[]): Promise<JobAttempt[]> {
    return listAttempts(this.#database.em(), jobIds);
  }

  /** The uploads that the inputs of these jobs name. */
  uploads(jobs: readonly Pick<Job, 'id' | 'workspaceId'>[]): Promise<JobUpload[]> {
    return listJobUploads(this.#database.hot, jobs);
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

  /** How many jobs, logs and workspaces this process watches, how many workers listen, and how many updates wait for their watchers. */
  get watched(): { jobs: number; logs: number; workspaces: number; workers: number; waitingUpdates: number } {
    const [jobs, logs, workspaces, workers] = [this.#feed.size, this.logs.watched, this.#updates.size, this.#lostLeases.size];
    return { jobs, logs, workspaces, workers, waitingUpdates: this.#updates.waiting };
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

  /** How many old jobs, and old rows of the change log, are due to be removed and were not yet, up to a limit. */
  async retentionBacklog(): Promise<{ jobs: number; changes: number }> {
    return { jobs: await this.#retention.backlog(), changes: await countOldChanges(this.#database.reads) };
  }
}
