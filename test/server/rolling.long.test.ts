import { describe, expect, test } from 'vitest';
import { startFileServer } from '../support/file-server.ts';
import { hasHaproxy, startHaproxy } from '../support/haproxy.ts';
import { type Installation, prepareEmptyInstallation, prepareInstallation, type ReadyProcess, spawnLonghaul } from '../support/process.ts';
import { type Received, startReceiver } from '../support/receiver.ts';
import { releasedProgram } from '../support/released.ts';
import { SteadyLoad } from '../support/steady-load.ts';

const drained = { code: 0, signal: null };

/** Behind the load balancer each call is made once, and each has to be answered. */
describe.runIf(hasHaproxy())('two apis behind HAProxy without retries, and two workers, under load', () => {
  test('are restarted one after the other: no call fails, and nothing is lost', async () => {
    const fleet = await Fleet.start(await prepareInstallation(settings));
    const load = await fleet.load();
    await fleet.replace(0);
    await fleet.replace(1);
    await fleet.expectNothingLost(load);
  }, 240_000);

  test('are upgraded from the version before, which is started again beside the new one meanwhile: no call fails, and nothing is lost', async () => {
    const { version, main } = await releasedProgram();
    const fleet = await Fleet.start(await prepareEmptyInstallation(settings), main);
    const load = await fleet.load();
    await fleet.replace(0);
    expect(await fleet.versions()).toEqual([expect.not.stringContaining(version), version]);
    // On the new tables, beside the new version.
    await fleet.replace(1, main);
    expect(await fleet.versions()).toEqual([expect.not.stringContaining(version), version]);
    await fleet.replace(1);
    await fleet.expectNothingLost(load);
  }, 240_000);
});

const settings = { OUTBOUND_ALLOW: '127.0.0.1', INITIAL_CREDITS: '1000000' };

class Fleet {
  readonly #installation: Installation;
  readonly #proxy: Awaited<ReturnType<typeof startHaproxy>>;
  #hooks: readonly Received[] = [];
  readonly #processes: { api: ReadyProcess[]; worker: ReadyProcess[] } = { api: [], worker: [] };

  private constructor(installation: Installation, proxy: Awaited<ReturnType<typeof startHaproxy>>) {
    this.#installation = installation;
    this.#proxy = proxy;
  }

  /** @param program `src/main.ts` of another version */
  static async start(installation: Installation, program?: string): Promise<Fleet> {
    const fleet = new Fleet(installation, await startHaproxy());
    for (const role of ['api', 'worker'] as const) {
      fleet.#processes[role] = [await fleet.#begin(role, 0, program), await fleet.#begin(role, 1, program)];
    }
    for (const index of [0, 1] as const) await fleet.#proxy.sees('UP', index);
    return fleet;
  }

  async load(): Promise<SteadyLoad> {
    const files = await startFileServer();
    files.release();
    const receiver = await startReceiver();
    this.#hooks = receiver.received;
    return new SteadyLoad(this.#proxy.url, this.#installation.adminKey, { source: files.url('film.txt'), webhook: receiver.url });
  }

  /** An api and a worker, as an operator does: SIGTERM, wait for the end, start, wait until the load balancer has it back. */
  async replace(index: 0 | 1, program?: string): Promise<void> {
    const replaced = (['api', 'worker'] as const).map(async (role) => {
      const old = this.#processes[role][index];
      old?.kill('SIGTERM');
      expect(await old?.ended).toEqual(drained);
      this.#processes[role][index] = await this.#begin(role, index, program);
    });
    await Promise.all(replaced);
    await this.#proxy.sees('UP', index);
  }

  /** Of the apis. */
  async versions(): Promise<string[]> {
    return Promise.all(
      this.#processes.api.map(async ({ url }) => {
        const { versions }: { versions: { longhaul: string } } = JSON.parse(await (await fetch(`${url}/health`)).text());
        return versions.longhaul;
      }),
    );
  }

  async expectNothingLost(load: SteadyLoad): Promise<void> {
    await load.stop();
    const { query, env } = this.#installation;
    const jobs = await query<{ id: string; version: number; status: 'COMPLETED' }>(`SELECT 'job_' || id AS id, version, status FROM job`);
    const ends = new Map(jobs.map((job) => [job.id, { ...job, askedAt: 0 }]));
    await expect.poll(() => load.watchers.filter(({ ends: seen }) => seen.length === 0).length, { timeout: 20_000 }).toBe(0);
    expect(load.failures).toEqual([]);
    expect([...ends.keys()].toSorted()).toEqual(load.accepted.toSorted());
    expect(load.watchers.flatMap((watcher) => watcher.faults(ends.get(watcher.jobId) ?? { version: 0, status: 'PENDING', askedAt: 0 }))).toEqual([]);
    expect(load.watchers.length).toBeGreaterThan(10);
    const unseen = () => load.updates.flatMap((watcher) => load.updated.filter((id) => watcher.statusesOf(id).at(-1) !== ends.get(id)?.status));
    await expect.poll(unseen, { timeout: 20_000 }).toEqual([]);
    expect(load.updates.flatMap(({ faults }) => faults)).toEqual([]);
    expect(load.updated.length).toBeGreaterThan(10);
    const told = () => [...new Set(this.#hooks.map(({ body }) => /"id":"(job_[^"]+)"/.exec(body)?.[1]))].toSorted();
    await expect.poll(told, { timeout: 20_000 }).toEqual(load.hooked.toSorted());
    expect(
      await query(`SELECT (SELECT count(*)::int FROM job WHERE status IN ('PENDING', 'RUNNING')) AS open, (SELECT count(*)::int FROM lease) AS leases,
        (SELECT count(*)::int FROM job_attempt WHERE outcome = 'EXPIRED') AS expired,
        (SELECT count(*)::int FROM job WHERE type = 'download' AND failed_attempts > 0) AS failed_downloads`),
    ).toEqual([{ open: 0, leases: 0, expired: 0, failed_downloads: 0 }]);
    expect(await spawnLonghaul(env, ['check-ledger']).ended).toEqual(drained);
  }

  #begin(role: 'api' | 'worker', index: 0 | 1, program?: string): Promise<ReadyProcess> {
    const port = role === 'api' ? this.#proxy.ports[index] : 0;
    return this.#installation.start(role, { PORT: String(port), DRAIN_SECONDS: '5' }, program);
  }
}
