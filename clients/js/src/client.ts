import { type Auth, Credentials } from './credentials.ts';
import * as documents from './documents.ts';
import type { Download } from './download.ts';
import { type BrowserToken, JobHandle, type ResultOptions } from './handle.ts';
import { Http } from './http.ts';
import { readyInput } from './input.ts';
import type { JobSummary } from './job.ts';
import type { AnyJobs, InputOf, JobSchemas, OutputOf, Sendable, ShapesOf } from './job-types.ts';
import { type JobFilter, JobList, type JobsOptions } from './jobs.ts';
import { begin, type Limits, type RunningLimits, unlessAborted, within } from './limits.ts';
import { Live } from './live/live.ts';
import type { Listening, Updates } from './live/updates.ts';
import { cancel, isRepeatable, mutate } from './mutate.ts';
import { requestOf, type SubmitOptions, type Submission } from './submission.ts';
import { subscribe } from './subscribe.ts';
import type { FileOptions, TransferProgress, UploadedFile } from './uploaded-file.ts';
import { type JobUpdate, type UpdatesFilter, workspaceUpdates } from './workspace-updates.ts';

export interface ClientOptions {
  /** Of the installation, for example `https://jobs.example.com`; in a page also relative to it. */
  url: string;
  /** Null: nothing is sent but what the browser adds, which is for pages that the server itself serves: there it is the cookie of a session. */
  auth: Auth | null;
  /** Schemas by type: they say what inputs and outputs are, and inputs are checked before they are sent. */
  types?: JobSchemas | undefined;
  /** Default: the platform's. */
  fetch?: typeof fetch;
  /** Default: the platform's. Without one, as on Node 20, it goes over server-sent events. */
  WebSocket?: unknown;
}

export interface BrowserTokenOptions extends Limits {
  /** Exactly one of jobId, tag and tags. */
  jobId?: string | undefined;
  tag?: string | undefined;
  tags?: readonly string[] | undefined;
  /** READ where not given. WRITE, for tag or tags, also creates, cancels and retries. */
  scopes?: readonly ('READ' | 'WRITE')[] | undefined;
  /** Types that it may create; any where not given. */
  types?: readonly string[] | undefined;
  /** 60 to 86,400; 900 where not given. */
  ttlSeconds?: number | undefined;
}

/** So many jobs are created in one request, all or none. */
const mostInOne = 1_000;

/** A client of one installation. It opens connections as they are needed, and holds none when nothing is under way. */
export class Client<Jobs = AnyJobs> {
  /** For the other entries of this package. */
  readonly http: Http;
  readonly #live: Live;
  readonly #schemas: JobSchemas;

  constructor({ url, auth, types = {}, fetch: fetcher = globalThis.fetch, ...sockets }: ClientOptions) {
    const credentials = new Credentials(auth);
    this.http = new Http(endpoint(url), fetcher, credentials);
    this.#live = new Live(this.http, credentials, 'WebSocket' in sockets ? sockets.WebSocket : globalThis.WebSocket);
    this.#schemas = types;
  }

  /**
   * Creates a job, and gives a handle at once. Files in the input are uploaded first. The limits hold for the handle, too.
   *
   * @throws ValidationError, InsufficientCreditsError, QueueFullError, IdempotencyConflictError, AbortError, TimeoutError
   */
  async submit<Type extends keyof Jobs & string>(
    type: Type,
    input: Sendable<InputOf<Jobs, Type>>,
    options: SubmitOptions = {},
  ): Promise<JobHandle<OutputOf<Jobs, Type>>> {
    const limits = begin(options);
    const { id } = await within([limits], async (signal) => this.#create(await this.#ready(type, input, options, signal), limits, signal));
    return new JobHandle(this.#live, id, limits);
  }

  /** Submits, and waits for the output. @throws what `submit` throws, JobFailed, JobCancelled */
  async run<Type extends keyof Jobs & string>(
    type: Type,
    input: Sendable<InputOf<Jobs, Type>>,
    { onProgress, ...options }: SubmitOptions & Pick<ResultOptions, 'onProgress'> = {},
  ): Promise<OutputOf<Jobs, Type>> {
    return (await this.submit(type, input, options)).result({ onProgress });
  }

  /** Creates many jobs: of each thousand all or none. The handles come in the order of the jobs. @throws what `submit` throws */
  async submitMany(jobs: readonly Submission<Jobs>[], options: Limits = {}): Promise<JobHandle[]> {
    const limits = begin(options);
    const summaries = await within([limits], async (signal) => {
      const requests: object[] = [];
      for (const { type, input, ...asked } of jobs) requests.push(await this.#ready(type, input, asked, signal));
      const made: JobSummary[] = [];
      for (let from = 0; from < requests.length; from += mostInOne) {
        const some = { jobs: requests.slice(from, from + mostInOne) };
        made.push(...(await mutate<{ jobs: JobSummary[] }>(this.http, documents.createJobs, some, signal)).jobs);
      }
      return made;
    });
    return summaries.map(({ id }) => new JobHandle(this.#live, id, limits));
  }

  /** Of any job, by any of its ids. Asks nothing of the server. */
  handle<Output = unknown>(id: string, limits: Limits = {}): JobHandle<Output> {
    return new JobHandle(this.#live, id, begin(limits));
  }

  /** The jobs of a filter, in pages: `for await (const job of client.jobs(filter))`, or `.page()`. */
  jobs(filter: JobFilter = {}, options: JobsOptions = {}): JobList {
    return new JobList(this.http, filter, options);
  }

  /** The workspace's jobs as they change: every change of status. @param cursor of an update to go on after; from now on where not given */
  updates(filter: UpdatesFilter = {}, cursor: string | null = null, options: Listening = {}): Updates<JobUpdate> {
    return workspaceUpdates(this.http, this.#live, filter, cursor, options);
  }

  /** Sends a file, in chunks that go on after a break. It goes into an input as it is. @throws ValidationError, LonghaulError QUOTA_EXCEEDED */
  upload(file: Blob, { filename, mediaType, onProgress, ...limits }: FileOptions & Limits = {}): Promise<UploadedFile> {
    return within([begin(limits)], (signal) => this.#upload(file, { filename, mediaType, onProgress }, signal));
  }

  /** Opens a result file of a job. Read its `stream` or its `blob()`, or cancel the stream. @param name the main file where not given */
  async download(
    job: string | { id: string },
    { name, onProgress, ...limits }: Limits & { name?: string; onProgress?: (progress: TransferProgress) => void } = {},
  ): Promise<Download> {
    const { id } = typeof job === 'string' ? { id: job } : job;
    const running = begin(limits);
    const { download } = await within([running], () => import('./download.ts'));
    return download((signal) => this.handle(id).job({ signal }), name, { fetch: this.http.fetch, limits: running, onProgress });
  }

  /** A short-lived token for a browser, with less than the client's own rights. @throws NotFoundError, ValidationError */
  browserToken({ signal, timeout, onAbort, ...asked }: BrowserTokenOptions): Promise<BrowserToken> {
    return within([begin({ signal, timeout, onAbort })], (inTime) => mutate(this.http, documents.createAccessToken, asked, inTime));
  }

  /**
   * Any other query or mutation. Sent again where no answer came; a mutation only if its variables have an `idempotencyKey`, or it might
   * be done twice. @throws LonghaulError
   */
  query<Data = Record<string, unknown>>(document: string, variables: object = {}, limits: Limits = {}): Promise<Data> {
    // One that merely contains the word is taken for a mutation: that costs a try, and the other way round perhaps a job.
    const repeatable = isRepeatable(/\bmutation\b/.test(document), variables);
    return within([begin(limits)], (signal) => this.http.ask<Data>(document, variables, signal, { repeatable }));
  }

  /** Any other subscription. After a break it goes on where its document has a place to go on from (PROTOCOL.md, Resuming). */
  subscribe<Data = Record<string, unknown>>(document: string, variables: Record<string, unknown> = {}, options: Listening = {}): Updates<Data> {
    return subscribe(this.#live, document, variables, options);
  }

  async #ready(type: string, input: unknown, options: SubmitOptions, signal: AbortSignal): Promise<object> {
    const { onUploadProgress: onProgress } = options;
    const ready = await readyInput(input, this.#schemas[type]?.input, (file) => this.#upload(file, { onProgress }, signal));
    return requestOf(type, ready, options);
  }

  /** Loaded when a file is there to send: most pages send none. */
  async #upload(file: Blob, options: FileOptions, signal: AbortSignal): Promise<UploadedFile> {
    const { upload } = await import('./upload.ts');
    return upload(this.http, file, options, signal);
  }

  async #create(request: object, limits: RunningLimits, signal: AbortSignal): Promise<JobSummary> {
    const creating = (until: AbortSignal) => mutate<{ job: JobSummary }>(this.http, documents.createJob, request, until);
    if (limits.onAbort !== 'cancel') return (await creating(signal)).job;
    // To be cancelled, a job must be known: its creation goes on although the caller has left.
    const created = creating(never);
    try {
      return (await unlessAborted(signal, () => created)).job;
    } catch (error) {
      if (signal.aborted) created.then(({ job }) => cancel(this.http, job.id, 'Aborted by its client.', never)).catch(() => {});
      throw error;
    }
  }
}

/** For what goes on whoever leaves. */
const never = new AbortController().signal;

/** A client; its jobs typed by schemas, or by what `npx @longhaul/client types` made: `createClient<JobTypes>(…)`. */
export function createClient<const Schemas extends JobSchemas>(options: ClientOptions & { types: Schemas }): Client<ShapesOf<Schemas>>;
export function createClient<Jobs = AnyJobs>(options: ClientOptions): Client<Jobs>;
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}

function endpoint(url: string): string {
  const page: unknown = Reflect.get(globalThis, 'location');
  const base = new URL(url, page === undefined ? undefined : String(page));
  base.pathname = base.pathname.replace(/\/*$/, '').replace(/(\/graphql)?$/, '/graphql');
  return base.href;
}
