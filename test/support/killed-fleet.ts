import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, vi } from 'vitest';
import { Relay } from './frozen-relay.ts';
import { type Installation, prepareInstallation, type ReadyProcess, testFolder } from './process.ts';

/** A worker in a process of its own. */
interface KillableWorker {
  kill(signal: NodeJS.Signals): void;
  ended: Promise<unknown>;
}

/** How workers are started: what they need to know is in their environment. */
type StartWorker = (env: Record<string, string>) => KillableWorker;

/** How long the leases of workers that are dead may last, in milliseconds: they are of five seconds, and sweeps come every second, on a busy machine. */
const leasesGoneWithin = 30_000;

/** An api behind an address that stays, and three workers for jobs of the type `parts`, all of which are killed and started again. */
export class KilledFleet {
  readonly installation: Installation;
  /** Of the api, whichever process it is. */
  readonly url: string;
  readonly #network: Relay;
  readonly #startWorker: StartWorker;
  readonly #workers: KillableWorker[];
  #api: ReadyProcess;

  private constructor(installation: Installation, network: Relay, api: ReadyProcess, startWorker: StartWorker) {
    this.installation = installation;
    this.url = network.url;
    this.#network = network;
    this.#api = api;
    this.#startWorker = startWorker;
    this.#workers = [0, 1, 2].map((n) => this.#worker(n));
  }

  /** Leases of the type are of five seconds, and each job has a hundred attempts. All is gone after the test. */
  static async start(startWorker: StartWorker): Promise<KilledFleet> {
    const path = join(await testFolder(), 'types.json');
    const inputSchema = { type: 'object', properties: { sourceUrl: { type: 'string', 'x-source': true } } };
    await writeFile(path, JSON.stringify([{ name: 'parts', credits: 1, maxAttempts: 100, leaseSeconds: 5, inputSchema }]));
    const network = await Relay.listen();
    onTestFinished(() => network[Symbol.asyncDispose]());
    const installation = await prepareInstallation({ JOB_TYPES: path, PUBLIC_URL: network.url });
    const api = await installation.start('api');
    network.to(api.url);
    return new KilledFleet(installation, network, api, startWorker);
  }

  /** One of the four every few seconds, at random; half-way, all workers at once, and no lease of theirs stays. @returns how many were killed */
  async killFor(seconds: number): Promise<number> {
    const before = await this.#killOneByOne(seconds / 2);
    await this.#killWorkers();
    return before + this.#workers.length + (await this.#killOneByOne(seconds / 2));
  }

  /** How many jobs there are, how many of them have ended otherwise than once, and what is still held. */
  async ends(): Promise<{ jobs: number; wrong: unknown[]; leases: unknown[] }> {
    const { query } = this.installation;
    const [all] = await query<{ jobs: number }>('SELECT count(*)::int AS jobs FROM job');
    const wrong = await query(`
      SELECT id, status, completions, charges, refunds FROM job,
        LATERAL (SELECT count(*) FILTER (WHERE outcome = 'COMPLETED') AS completions FROM job_attempt WHERE job_id = job.id) AS attempt,
        LATERAL (SELECT count(*) FILTER (WHERE kind = 'CHARGE') AS charges, count(*) FILTER (WHERE kind = 'REFUND') AS refunds
          FROM credit_transaction WHERE job_id = job.id) AS money
      WHERE status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED') OR charges <> 1
        OR completions <> CASE status WHEN 'COMPLETED' THEN 1 ELSE 0 END OR refunds <> CASE status WHEN 'COMPLETED' THEN 0 ELSE 1 END`);
    return { jobs: all?.jobs ?? Number.NaN, wrong, leases: await query('SELECT * FROM lease') };
  }

  #worker(n: number): KillableWorker {
    const { adminKey } = this.installation;
    return this.#startWorker({ LONGHAUL_URL: this.url, LONGHAUL_API_KEY: adminKey, CONCURRENCY: '8', WORKER_ID: `soaked-${n}` });
  }

  async #killOneByOne(seconds: number): Promise<number> {
    const until = performance.now() + seconds * 1_000;
    let kills = 0;
    while (performance.now() < until) {
      await delay(2_000 + Math.random() * 3_000);
      kills += 1;
      const n = Math.floor(Math.random() * 4);
      const victim = this.#workers[n];
      if (victim === undefined) await this.#replaceApi();
      else {
        victim.kill('SIGKILL');
        await victim.ended;
        this.#workers[n] = this.#worker(n);
      }
    }
    return kills;
  }

  async #killWorkers(): Promise<void> {
    const held = () => this.installation.query('SELECT job_id FROM lease');
    await vi.waitFor(async () => expect(await held()).not.toEqual([]), { timeout: leasesGoneWithin, interval: 100 });
    for (const { kill } of this.#workers) kill('SIGKILL');
    for (const { ended } of this.#workers) await ended;
    await vi.waitFor(async () => expect(await held()).toEqual([]), { timeout: leasesGoneWithin, interval: 200 });
    for (const n of this.#workers.keys()) this.#workers[n] = this.#worker(n);
  }

  async #replaceApi(): Promise<void> {
    this.#api.kill('SIGKILL');
    await this.#api.ended;
    this.#api = await this.installation.start('api');
    this.#network.to(this.#api.url);
  }
}
