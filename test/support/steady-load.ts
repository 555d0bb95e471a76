import { setTimeout as delay } from 'node:timers/promises';
import { rest } from './rest.ts';
import { ProgressWatcher, Returning, UpdatesWatcher } from './watchers.ts';

/** So many jobs are on their way at once, and so many workers claim. */
const submitters = 8;
const workers = 3;

/** What the documents select. */
interface Answer {
  kind: string;
  job?: { id: string; uuid: string };
  leases?: { token: string }[];
}

/** The pause of each of them between two calls, in milliseconds: the machine also starts processes meanwhile. */
const pause = 30;

/**
 * Clients of every kind at one URL, each call of which is made once: whoever creates jobs (some for the built-in worker, some with
 * a webhook and twice, with an idempotency key), cancels and reads them, polls by REST and watches; and workers over GraphQL. Uses
 * only what version 0.2.0 has.
 */
export class SteadyLoad {
  readonly #url: string;
  readonly #key: string;
  readonly #urls: { source: string; webhook: string };
  readonly #clients: Returning[];
  readonly #running: Promise<void>[] = [];
  #state: 'busy' | 'ending' | 'ended' = 'busy';
  #made = 0;
  /** How often each kind of call was made. */
  readonly calls: Record<string, number> = {};
  /** What was answered to those that failed. */
  readonly failures: string[] = [];
  /** Ids of the jobs whose creation was answered. */
  readonly accepted: string[] = [];
  /** Of these, the ones whose end the webhook is told. */
  readonly hooked: string[] = [];
  readonly watchers: ProgressWatcher[] = [];
  /** They watch the whole workspace. */
  readonly updates: UpdatesWatcher[] = [];
  /** The jobs that were created when all of `updates` had begun. */
  readonly updated: string[] = [];

  /** @param urls `source`: what the built-in worker downloads; `webhook`: which is told how jobs ended */
  constructor(url: string, key: string, urls: { source: string; webhook: string }) {
    this.#url = url;
    this.#key = key;
    this.#urls = urls;
    for (const over of ['socket', 'events'] as const) {
      const watcher = new UpdatesWatcher(`updates over ${over}`, key);
      watcher.come(over, url);
      this.updates.push(watcher);
    }
    this.#clients = (['socket', 'events', 'socket', 'events'] as const).map((over) => new Returning(over, url, key));
    for (let n = 0; n < submitters; n += 1) this.#running.push(this.#forEver(() => this.#oneJob()));
    for (let n = 0; n < workers; n += 1) this.#running.push(this.#work(`remote-${n}`));
  }

  /** Lets the jobs that are on their way end, and ends. */
  async stop(): Promise<void> {
    this.#state = 'ending';
    await Promise.all(this.#running.slice(0, submitters));
    this.#state = 'ended';
    await Promise.all(this.#running);
  }

  async #forEver(turn: () => Promise<void>): Promise<void> {
    while (this.#state === 'busy') await turn();
  }

  async #oneJob(): Promise<void> {
    const n = (this.#made += 1);
    const isHooked = n % 5 === 0;
    const hasBegun = this.updates.every(({ hasCursor }) => hasCursor);
    const input = {
      type: n % 3 === 0 ? 'download' : 'comments',
      input: { sourceUrl: `${this.#urls.source}?${n}` },
      ...(isHooked && { webhookUrl: this.#urls.webhook, idempotencyKey: `request-${n}` }),
    };
    const job = await this.#create(input);
    if (job === undefined) return;
    const { id, uuid } = job;
    this.accepted.push(id);
    if (hasBegun) this.updated.push(id);
    if (isHooked) {
      this.hooked.push(id);
      const again = await this.#create(input);
      if (again !== undefined && again.id !== id) this.failures.push(`create: ${again.id} in place of ${id}`);
    }
    const client = this.#clients[n % this.#clients.length];
    if (n % 2 === 0 && client !== undefined) this.watchers.push(new ProgressWatcher(client, id));
    if (n % 10 === 0) {
      const cancel = 'mutation ($id: ID!) { answer: cancelJob(input: { id: $id }) { kind: __typename } }';
      await this.#graphql('cancel', cancel, { id }, ['CancelJobPayload', 'AlreadyFinishedError']);
    }
    await this.#graphql('read', 'query ($id: ID!) { answer: job(id: $id) { kind: __typename status } }', { id }, ['Job']);
    await this.#graphql('list', '{ answer: jobs(first: 20) { kind: __typename edges { node { id status } } } }', {}, ['JobConnection']);
    await this.#poll(uuid);
  }

  async #create(input: object): Promise<Answer['job']> {
    const create = 'mutation ($input: CreateJobInput!) { answer: createJob(input: $input) { kind: __typename ... on CreateJobPayload { job { id uuid } } } }';
    return (await this.#graphql('create', create, { input }, ['CreateJobPayload']))?.job;
  }

  /** Polls until the job has ended. */
  async #poll(uuid: string): Promise<void> {
    for (let tag = ''; ; ) {
      const headers = { prefer: 'wait=5', ...(tag !== '' && { 'if-none-match': tag }) };
      const answer = await this.#call('poll', async () => {
        const { status, headers: sent, body } = await rest(`${this.#url}/videoconduit/v1/jobs/${uuid}`, { key: this.#key, headers });
        if (status !== 200 && status !== 304) throw new Error(`${status} ${JSON.stringify(body)}`);
        return { tag: sent.get('etag') ?? '', body };
      });
      const ended = ['completed', 'failed', 'cancelled'].some((status) => JSON.stringify(answer?.body ?? null).includes(`"status":"${status}"`));
      if (answer === null || ended) return;
      ({ tag } = answer);
    }
  }

  async #work(workerId: string): Promise<void> {
    const claim = `mutation ($input: ClaimJobsInput!) { answer: claimJobs(input: $input) { kind: __typename ... on ClaimJobsPayload { leases { token } } } }`;
    const report = 'mutation ($token: String!) { answer: reportProgress(input: { token: $token, percentage: 50 }) { kind: __typename } }';
    const complete = 'mutation ($token: String!) { answer: completeJob(input: { token: $token, output: { done: true } }) { kind: __typename } }';
    const fail = `mutation ($token: String!) { answer: failJob(input: { token: $token, code: "BROKEN", message: "It broke.", retryable: false }) { kind: __typename } }`;
    for (let ended = 0; this.#state !== 'ended'; ) {
      const input = { types: ['comments'], workerId, limit: 3, waitSeconds: 3 };
      const claimed = await this.#graphql('claim', claim, { input }, ['ClaimJobsPayload']);
      for (const { token } of claimed?.leases ?? []) {
        ended += 1;
        // The job may have been cancelled.
        await this.#graphql('report', report, { token }, ['ReportProgressPayload', 'LeaseLostError']);
        if (ended % 10 === 0) await this.#graphql('fail', fail, { token }, ['FailJobPayload', 'LeaseLostError']);
        else await this.#graphql('complete', complete, { token }, ['CompleteJobPayload', 'LeaseLostError']);
      }
    }
  }

  /** The field `answer`, or null if the call failed. */
  #graphql(what: string, query: string, variables: object, expected: readonly string[]): Promise<Answer | null> {
    return this.#call(what, async () => {
      const response = await fetch(`${this.#url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${response.status} ${text}`);
      const { data, errors }: { data?: { answer: Answer | null } | null; errors?: unknown } = JSON.parse(text);
      if (errors !== undefined || data?.answer == null || !expected.includes(data.answer.kind)) throw new Error(text);
      return data.answer;
    });
  }

  async #call<Result>(what: string, call: () => Promise<Result>): Promise<Result | null> {
    this.calls[what] = (this.calls[what] ?? 0) + 1;
    try {
      return await call();
    } catch (error) {
      this.failures.push(`${what}: ${String(error)} ${error instanceof Error ? String(error.cause ?? '') : ''}`);
      return null;
    } finally {
      await delay(pause);
    }
  }
}
