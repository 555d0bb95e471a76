import { expect, onTestFinished, test } from 'vitest';
import { isFinal } from '../../src/jobs/model/state-machine.ts';
import { CreateJobDocument, type JobStatus } from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { prepareInstallation, type ReadyProcess } from '../support/process.ts';
import { createRedisServer, freePort } from '../support/redis-server.ts';
import { RemoteWorker, type WorkedJob } from '../support/remote-worker.ts';
import { type JobEnd, ProgressWatcher, Returning, UpdatesWatcher } from '../support/watchers.ts';

const jobCount = 200;
const watchersPerApi = 1_000;
/** One in four watches over server-sent events; the others share sockets, so many each. */
const watchersPerSocket = 10;

/**
 * The promise, in milliseconds: from when a job's end was asked for, or from when the watcher's own client began to
 * connect for the last time, where that was later. How long a client pauses before it does is its library's to say.
 */
const promise = 10_000;

/** Bound of waiting for what the promise does not bound: processes that start, clients that pause. Milliseconds. */
const patience = { timeout: 40_000, interval: 50 };

test('P2 to P6, U1: 2,000 watchers learn how 200 jobs end, through five kills of Redis and one of an API', async () => {
  const redis = await createRedisServer();
  onTestFinished(() => redis.stop());
  await redis.start();
  const fleet = await prepareInstallation({ REDIS_URL: redis.url });
  const steady = await fleet.start('api');
  const killedPort = String(await freePort());
  const killed = await fleet.start('api', { PORT: killedPort });
  const processes = [steady, killed];
  let living = processes;

  const wanderer = watchUpdates('away for a while', 'events', steady.url);
  const updates = [
    watchUpdates('beside the steady process', 'socket', steady.url),
    watchUpdates('beside the killed process', 'socket', killed.url),
    watchUpdates('beside the killed process, over events', 'events', killed.url),
    wanderer,
  ];
  // A subscription is not acknowledged; once a watcher has a cursor, nothing is left to chance.
  await expect.poll(async () => {
    const input = { type: 'voiceover', input: { videoId: 'before' } };
    await ask(steady.url, fleet.adminKey, CreateJobDocument, { input });
    return updates.filter(({ hasCursor }) => !hasCursor).map(({ name }) => name);
  }, patience).toEqual([]);

  const worker = new RemoteWorker(steady.url, killed.url, fleet.adminKey);
  await worker.create(jobCount);
  const besideSteady = openWatchers(steady, fleet.adminKey, worker.jobs);
  const besideKilled = openWatchers(killed, fleet.adminKey, worker.jobs);
  const watchers = [...besideSteady, ...besideKilled];
  await Promise.all(watchers.map(({ begun }) => begun));

  // Each wave of ends finds its jobs, and those of the next one, running.
  const waves = [20, 20, 25, 20, 20, 25, 70].map((size, index, sizes) => {
    const start = sizes.slice(0, index).reduce((sum, each) => sum + each, 0);
    return worker.jobs.slice(start, start + size);
  });
  const [first = [], second = [], third = [], fourth = [], fifth = [], sixth = [], last = []] = waves;
  await worker.begin([...first, ...second]);

  // Redis dies among the ends of jobs, and the later of these ends nobody announces.
  await endWave(first, () => redis.stop());
  await worker.begin(third);
  await redis.start();
  await untilBusIs('up');

  // Without Redis they are known all the same.
  await redis.stop();
  await untilBusIs('down');
  await endWave(second);
  await untilKnown(second, watchers);
  await worker.begin(fourth);
  await redis.start();
  await untilBusIs('up');

  // A process dies, and with it the connections of half of the watchers. One more leaves by itself.
  await endWave(third, async () => {
    wanderer.leave();
    killed.kill('SIGKILL');
    await killed.ended;
  });
  living = [steady];
  await worker.begin([...fifth, ...sixth]);
  // Then Redis too; the process comes back to find none.
  await endWave(fourth, () => redis.stop());
  const restarted = await fleet.start('api', { PORT: killedPort });
  const restartedAt = performance.now();
  processes.push(restarted);
  living = [steady, restarted];
  await redis.start();
  // While its watchers come back.
  await endWave(fifth);
  await untilKnown(fifth, watchers);
  await expect.poll(() => notBack(), patience).toBe(0);
  await untilBusIs('up');

  // A short absence.
  await endWave(sixth, async () => {
    await redis.stop();
    await redis.start();
  });
  await worker.begin(last);
  await untilBusIs('up');

  // The last ones end while it is away.
  await endWave(last, () => redis.stop());
  // With its cursor of long ago, which another process gave out over another transport.
  wanderer.come('socket', restarted.url);
  await untilKnown(worker.jobs, watchers);
  await redis.start();
  await worker.rest();
  expect(worker.faults).toEqual([]);

  const truth = await endsOf(worker.jobs);
  expect(watchers.flatMap((watcher) => watcher.faults(endOf(watcher.jobId)))).toEqual([]);
  const slow = watchers.filter((watcher) => watcher.waited(endOf(watcher.jobId)) > promise);
  expect(slow.map(({ jobId, client }) => `${client.over} watcher of ${jobId}`)).toEqual([]);
  // No client was sent away by a process that lived, or the bound above would say little.
  expect(Math.max(...connections(besideSteady))).toBe(1);
  expect(Math.max(...connections(besideKilled, restartedAt))).toBe(1);
  // They did watch: more than the first version and the last.
  expect(watchers.reduce((sum, { seen }) => sum + seen.length, 0)).toBeGreaterThan(3 * watchers.length);

  // U1, the one that was away as well as those whose process died.
  await expect.poll(() => updates.flatMap((watcher) => unseenBy(watcher)), { ...patience, timeout: promise }).toEqual([]);
  expect(updates.flatMap(({ faults }) => faults)).toEqual([]);
  for (const watcher of updates) watcher.leave();

  // Nothing is left of all those watchers, and nothing worse than a warning was said.
  await untilBusIs('up');
  for (const api of living) await expect.poll(() => leftBehind(api), patience).toEqual([]);
  for (const { stdout, stderr } of processes) expect([...errorsIn(stdout()), stderr()]).toEqual(['']);
  await expect(Promise.race([steady.ended, restarted.ended, Promise.resolve('both run')])).resolves.toBe('both run');

  function watchUpdates(name: string, over: 'socket' | 'events', url: string): UpdatesWatcher {
    const watcher = new UpdatesWatcher(name, fleet.adminKey);
    watcher.come(over, url);
    return watcher;
  }

  /** Ends jobs three at a time; the fault comes when half of them have ended, and the others go on meanwhile. */
  async function endWave(jobs: readonly WorkedJob[], fault: () => Promise<unknown> = async () => {}): Promise<void> {
    const queue = jobs.values();
    let ended = 0;
    let coming: Promise<unknown> = Promise.resolve();
    const lane = async () => {
      for (const job of queue) {
        await worker.end(job);
        ended += 1;
        if (ended === Math.ceil(jobs.length / 2)) coming = fault();
      }
    };
    await Promise.all([lane(), lane(), lane()]);
    await coming;
  }

  /** Watchers whose process died, and who are not served by its successor yet. */
  async function notBack(): Promise<number> {
    const served = (await figures(restarted)).get('longhaul_subscriptions') ?? 0;
    const updatesBesideKilled = 2;
    return updatesBesideKilled + besideKilled.filter(({ ends }) => ends.length === 0).length - served;
  }

  function untilBusIs(state: 'up' | 'down') {
    return expect
      .poll(() => Promise.all(living.map(({ url }) => busOf(url))), patience)
      .toEqual(living.map(() => state));
  }

  async function endsOf(jobs: readonly WorkedJob[]): Promise<Map<string, JobEnd>> {
    const rows = await fleet.query<{ id: string; version: number; status: JobStatus }>(
      "SELECT 'job_' || id AS id, version, status FROM job WHERE type = 'comments'",
    );
    const asked = new Map(jobs.map(({ id, endAskedAt }) => [id, endAskedAt ?? Infinity]));
    return new Map(rows.map(({ id, ...row }) => [id, { ...row, askedAt: asked.get(id) ?? Infinity }]));
  }

  function endOf(jobId: string): JobEnd {
    const end = truth.get(jobId);
    if (end === undefined || !isFinal(end.status)) throw new Error(`${jobId} has not ended: ${JSON.stringify(end)}`);
    return end;
  }

  function unseenBy(watcher: UpdatesWatcher): string[] {
    return worker.jobs.flatMap(({ id, statuses }) => {
      const seen = watcher.statusesOf(id).join(' ');
      return seen === statuses.join(' ') ? [] : [`${watcher.name}, ${id}: ${seen}, not ${statuses.join(' ')}`];
    });
  }
}, 180_000);

/** Each job has five watchers beside each process, over both transports. */
function openWatchers({ url }: ReadyProcess, key: string, jobs: readonly WorkedJob[]): ProgressWatcher[] {
  let socket: Returning | null = null;
  let onSocket = 0;
  return Array.from({ length: watchersPerApi }, (_, n) => {
    const { id } = jobs[n % jobs.length] ?? { id: '' };
    const round = Math.floor(n / jobs.length);
    if ((n + round) % 4 === 0) return new ProgressWatcher(new Returning('events', url, key), id);
    if (socket === null || onSocket % watchersPerSocket === 0) socket = new Returning('socket', url, key);
    onSocket += 1;
    return new ProgressWatcher(socket, id);
  });
}

/** Until everyone who watches them has been told that they ended. */
function untilKnown(jobs: readonly WorkedJob[], watchers: readonly ProgressWatcher[]): Promise<void> {
  const ids = new Set(jobs.map(({ id }) => id));
  const concerned = watchers.filter(({ jobId }) => ids.has(jobId));
  return expect.poll(() => concerned.filter(({ ends }) => ends.length === 0).length, patience).toBe(0);
}

/** How often each client connected from that moment on (`performance.now()`). */
function connections(watchers: readonly ProgressWatcher[], from = 0): number[] {
  const clients = new Set(watchers.map(({ client }) => client));
  return [...clients].map(({ tries }) => tries.filter((at) => at >= from).length);
}

async function busOf(url: string): Promise<unknown> {
  const response = await fetch(`${url}/health/ready`);
  const { bus }: { bus: unknown } = JSON.parse(await response.text());
  return bus;
}

async function figures({ url }: ReadyProcess): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`);
  const lines = (await response.text()).matchAll(/^(longhaul_\w+) (\d+)$/gm);
  return new Map([...lines].map(([, name = '', value]) => [name, Number(value)]));
}

/** What should be gone with the last watcher, and is not. */
async function leftBehind(api: ReadyProcess): Promise<string[]> {
  const now = await figures(api);
  const names = ['websockets', 'event_streams', 'subscriptions', 'broadcasts', 'watched_jobs', 'stalled_connections'];
  return names.flatMap((name) => {
    const value = now.get(`longhaul_${name}`);
    return value === 0 ? [] : [`${name}: ${value}`];
  });
}

/** What a log says that is worse than a warning. */
function errorsIn(log: string): string[] {
  return log.split('\n').filter((line) => /^\{"level":[5-9]\d,/.test(line));
}
