import { print } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  CreateJobsDocument,
  JobProgressDocument,
  type JobProgressSubscription,
  WorkspaceDocument,
} from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { startFileServer } from '../support/file-server.ts';
import { type Installation, prepareInstallation, type ReadyProcess } from '../support/process.ts';

const jobCount = 500;
const initialCredits = 10_000;
const workerConcurrency = 8;

/** Subscriptions share sockets, so many of each api. */
const socketsPerApi = 5;

test('two apis and two workers complete 500 jobs, each once, and every watcher sees each end once', async () => {
  const files = await startFileServer();
  const fleet = await prepareInstallation({ OUTBOUND_ALLOW: '127.0.0.1', INITIAL_CREDITS: String(initialCredits) });
  const [left, right] = await Promise.all([
    fleet.start('api'),
    fleet.start('api'),
    ...[1, 2].map(() => fleet.start('worker', { WORKER_CONCURRENCY: String(workerConcurrency) })),
  ]);
  if (left === undefined || right === undefined) throw new Error('the fleet is not whole');

  const created = await Promise.all([left, right].map((api, index) => createHalf(fleet, api, files.url(`${index}`))));
  // Each job is watched through the api that did not create it.
  const watches = [right, left].flatMap((api, index) => {
    const sockets = Array.from({ length: socketsPerApi }, () => openSocket(api, fleet.adminKey));
    return (created[index] ?? []).map((id, n) => new Watch(sockets[n % socketsPerApi], id));
  });
  expect(watches).toHaveLength(jobCount);
  // No file ends before every watcher has been told of a job that still goes on: how it ends, the bus has to bring.
  await Promise.all(watches.map((watch) => watch.begun));
  await files.held(2 * workerConcurrency);
  files.release();
  await Promise.all(watches.map((watch) => watch.ended));

  for (const { events } of watches) {
    const versions = events.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
    expect(events[0]?.status).not.toBe('COMPLETED');
    expect(events.filter(({ status }) => status === 'COMPLETED')).toEqual(events.slice(-1));
  }
  expect(new Set(watches.map(({ events }) => events[0]?.id)).size).toBe(jobCount);

  expect(files.requested).toHaveLength(jobCount);
  expect(new Set(files.requested).size).toBe(jobCount);
  expect(await summary(fleet)).toEqual({
    completed: jobCount,
    final_versions_seen: jobCount,
    first_attempts: jobCount,
    attempts: jobCount,
    workers: 2,
    leases: 0,
    artifacts: jobCount / 2,
  });
  expect(await storedFiles(fleet)).toBe(jobCount / 2);
  await expectLedgerToAddUp(fleet, left);

  async function summary({ query }: Installation) {
    const finals = watches.flatMap(({ events }) => events.slice(-1));
    const [row] = await query(
      `SELECT
         (SELECT count(*)::int FROM job WHERE status = 'COMPLETED') AS completed,
         (SELECT count(*)::int FROM job JOIN unnest($1::text[], $2::int[]) AS seen(id, version)
            ON seen.id = 'job_' || job.id AND seen.version = job.version) AS final_versions_seen,
         (SELECT count(*)::int FROM job WHERE attempt = 1 AND failed_attempts = 0) AS first_attempts,
         (SELECT count(*)::int FROM job_attempt) AS attempts,
         (SELECT count(DISTINCT worker_id)::int FROM job_attempt) AS workers,
         (SELECT count(*)::int FROM lease) AS leases,
         (SELECT count(*)::int FROM artifact) AS artifacts`,
      [finals.map(({ id }) => id), finals.map(({ version }) => version)],
    );
    return row;
  }
}, 120_000);

/** Half of the jobs, of both built-in types in turn; each reads a file of its own. Gives their ids. */
async function createHalf({ adminKey }: Installation, api: ReadyProcess, url: string): Promise<string[]> {
  const jobs = Array.from({ length: jobCount / 2 }, (_, n) => ({
    type: n % 2 === 0 ? 'download' : 'fingerprint',
    input: { sourceUrl: `${url}/${n}.txt` },
  }));
  const { createJobs } = await ask(api.url, adminKey, CreateJobsDocument, { input: { jobs } });
  if (createJobs === null || !('jobs' in createJobs)) throw new Error(`refused: ${JSON.stringify(createJobs)}`);
  return createJobs.jobs.map(({ id }) => id);
}

function openSocket({ url }: ReadyProcess, adminKey: string): Client {
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${adminKey}` },
    retryAttempts: 0,
  });
  onTestFinished(() => client.dispose());
  return client;
}

/** One watcher of one job, and all that it was sent. */
class Watch {
  readonly events: JobProgressSubscription['jobProgress'][] = [];
  /** The first event came. */
  readonly begun: Promise<void>;
  /** The subscription completed. */
  readonly ended: Promise<void>;

  constructor(socket: Client | undefined, id: string) {
    if (socket === undefined) throw new Error('there is no socket to watch through');
    const begun = Promise.withResolvers<void>();
    this.begun = begun.promise;
    this.ended = new Promise((resolve, reject) => {
      const fail = (reason: unknown) => {
        const error = new Error(`watching ${id} failed: ${JSON.stringify(reason)}`, { cause: reason });
        begun.reject(error);
        reject(error);
      };
      socket.subscribe<JobProgressSubscription>(
        { query: print(JobProgressDocument), variables: { id } },
        {
          next: ({ data, errors }) => {
            if (data == null) {
              fail(errors);
              return;
            }
            this.events.push(data.jobProgress);
            begun.resolve();
          },
          error: fail,
          complete: resolve,
        },
      );
    });
  }
}

/** Partial files would be counted as well. */
async function storedFiles({ folder }: Installation): Promise<number> {
  const entries = await readdir(join(folder, 'artifacts'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).length;
}

async function expectLedgerToAddUp({ adminKey, query }: Installation, api: ReadyProcess): Promise<void> {
  const { workspace } = await ask(api.url, adminKey, WorkspaceDocument, {});
  expect(workspace.credits).toBe(initialCredits - jobCount);
  const [ledger] = await query(
    `SELECT sum(amount)::int AS balance, count(*) FILTER (WHERE kind = 'CHARGE')::int AS charges,
       count(DISTINCT job_id) FILTER (WHERE kind = 'CHARGE')::int AS charged_jobs,
       count(*) FILTER (WHERE kind = 'REFUND')::int AS refunds
     FROM credit_transaction`,
  );
  expect(ledger).toEqual({ balance: workspace.credits, charges: jobCount, charged_jobs: jobCount, refunds: 0 });
}
