import { hostname } from 'node:os';
import type { Server } from 'node:http';
import type { Client } from '../client.ts';
import { pause } from '../limits.ts';
import { pauseAfter } from '../tries.ts';
import { Attempt } from './attempt.ts';
import { Calls, type Lease, leaseLost } from './calls.ts';
import type { Handler } from './handler.ts';
import { Heartbeat } from './heartbeat.ts';
import { serveHealth } from './health.ts';
import { Slots } from './slots.ts';

export interface WorkerOptions<Jobs = unknown> {
  /** With a key that has WORK. */
  client: Client<Jobs>;
  handlers: readonly Handler[];
  /** Jobs at the same time; 1 where not given. */
  concurrency?: number;
  /** Of these types no more at the same time. */
  perType?: Readonly<Record<string, number>>;
  /** Default: the machine's name and the process's number. */
  workerId?: string;
  /** For so many seconds a handler may block this thread before its lease is let go; 60 where not given. */
  blockedSeconds?: number;
  /** For so many seconds running jobs may go on after `stop`; then they are told DRAIN and handed back. 20 where not given. */
  drainSeconds?: number;
  /** Where `GET /health` is answered; nowhere where not given. */
  healthPort?: number;
  /** Whether SIGTERM and SIGINT stop it; true where not given. */
  signals?: boolean;
  /** Told of what it cannot do anything about; where not given, the worker's `ended` rejects with what it cannot go on after. */
  onError?: (error: unknown) => void;
}

/** How long a handler that was told DRAIN has to end, and handing back may take, in milliseconds: with `drainSeconds` less than half a minute. */
const releaseWithin = 4_500;

/** How long a claim may go on after `stop`, in milliseconds: what its answer brings, if that is on the way, is handed back. */
const claimWithin = 500;

/** How long it waits between claims that do not wait, in milliseconds. */
const askAgainAfter = 500;

/** After so many milliseconds without an answer it is not healthy. */
const unreachableAfter = 60_000;

/** Claims jobs and runs their handlers until it is stopped. */
export class Worker {
  readonly workerId: string;
  /** Resolves when it has stopped; rejects where it cannot go on, as with a key without WORK. */
  readonly ended: Promise<void>;
  readonly #client: Client;
  readonly #calls: Calls;
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #slots: Slots;
  readonly #heartbeat: Heartbeat;
  readonly #drainSeconds: number;
  readonly #onError: (error: unknown) => void;
  readonly #attempts = new Map<string, { attempt: Attempt; ended: Promise<void> }>();
  /** Aborted when it claims no more. */
  readonly #stopping = new AbortController();
  /** Aborted when a claim that still waits is broken off. */
  readonly #breaking = new AbortController();
  readonly #listening = new AbortController();
  #heardAt = performance.now();
  #wake = () => {};
  readonly #health: Server | null;
  #stopped: Promise<void> | null = null;

  /** @param health answers for it, and is closed when it has stopped */
  constructor({ client, handlers, concurrency = 1, perType = {}, workerId, blockedSeconds = 60, drainSeconds = 20, onError = () => {} }: WorkerOptions, health: Server | null) {
    this.#health = health;
    this.#client = client as unknown as Client;
    this.workerId = workerId ?? `${hostname()}:${process.pid}`;
    this.#calls = new Calls(this.#client);
    this.#handlers = new Map(handlers.map((handler) => [handler.type, handler]));
    this.#slots = new Slots([...this.#handlers.keys()], concurrency, perType);
    this.#heartbeat = new Heartbeat(this.#client, blockedSeconds, (token) => this.#attempts.get(token)?.attempt.stop('LEASE_LOST'));
    this.#drainSeconds = drainSeconds;
    this.#onError = onError;
    this.ended = this.#work();
    this.ended.catch(onError);
    void this.#listen();
  }

  /** How it is, as `/health` tells it. */
  get state(): { status: 'ok' | 'draining' | 'unreachable'; running: number } {
    const { running } = this.#slots;
    if (this.#stopping.signal.aborted) return { status: 'draining', running };
    return { status: performance.now() - this.#heardAt > unreachableAfter ? 'unreachable' : 'ok', running };
  }

  /** Claims no more, lets what runs go on for `drainSeconds`, then hands it back. May be called twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #drain(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    const claimed = this.ended.catch(() => {});
    void within(claimed, claimWithin).then(() => this.#breaking.abort());
    const running = [...this.#attempts.values()];
    const all = Promise.all(running.map(({ ended }) => ended));
    await within(all, this.#drainSeconds * 1_000);
    for (const { attempt } of this.#attempts.values()) attempt.stop('DRAIN');
    await within(all, releaseWithin);
    await within(Promise.all([...this.#attempts.values()].map(({ attempt }) => attempt.release().catch(this.#onError))), releaseWithin);
    await claimed;
    this.#listening.abort();
    this.#health?.close();
    await this.#heartbeat.stop();
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      const { types, limit, all } = this.#slots.free;
      try {
        if (limit < 1 || types.length === 0) {
          await new Promise<void>((resolve) => (this.#wake = resolve));
          continue;
        }
        // While a type is left out as it is full, it waits here, so that the type is claimed as soon as it has room.
        const leases = await this.#calls.claim({ types, limit, workerId: this.workerId, waitSeconds: all ? 20 : 0 }, this.#breaking.signal);
        this.#heardAt = performance.now();
        failures = 0;
        if (signal.aborted) return await this.#handBack(leases);
        for (const lease of leases) this.#begin(lease);
        if (!all && leases.length === 0) await within(new Promise<void>((resolve) => (this.#wake = resolve)), askAgainAfter);
      } catch (error) {
        if (signal.aborted) return;
        await pauseAfter(error, failures, signal, 'endless').catch((reason: unknown) => {
          if (!signal.aborted) throw reason;
        });
        failures += 1;
      }
    }
  }

  #begin(lease: Lease): void {
    const { job, token, seconds } = lease;
    const handler = this.#handlers.get(job.type);
    if (handler === undefined) return;
    const attempt = new Attempt(this.#client, this.#calls, handler, lease);
    this.#slots.take(job.type);
    const ended = this.#heartbeat
      .keep(token, seconds)
      .then(() => attempt.run())
      .catch(this.#onError)
      .finally(() => {
        this.#attempts.delete(token);
        this.#heartbeat.drop(token);
        this.#slots.give(job.type);
        this.#wake();
      });
    this.#attempts.set(token, { attempt, ended });
  }

  async #handBack(leases: readonly Lease[]): Promise<void> {
    const soon = AbortSignal.timeout(releaseWithin);
    await Promise.all(leases.map(({ token }) => this.#calls.send('release', { token }, soon).catch(this.#onError)));
  }

  /** Hears at once which attempts are over. Best effort: a report is answered LEASE_LOST, too. */
  async #listen(): Promise<void> {
    const lost = this.#client.subscribe<{ leaseLost: { token: string; reason: string } }>(leaseLost, { workerId: this.workerId }, { signal: this.#listening.signal });
    try {
      for await (const { leaseLost: { token, reason } } of lost) {
        this.#attempts.get(token)?.attempt.stop(reason === 'CANCELLED' || reason === 'TIMEOUT' ? reason : 'LEASE_LOST');
      }
    } catch (error) {
      if (!this.#listening.signal.aborted) this.#onError(error);
    }
  }
}

/** Starts a worker. SIGTERM and SIGINT stop it, and then the process, where nobody else listens to them. */
export async function startWorker<Jobs>(options: WorkerOptions<Jobs>): Promise<Worker> {
  let started: Worker | null = null;
  // First: where the port is taken, nothing is claimed.
  const health = options.healthPort === undefined ? null : await serveHealth(options.healthPort, () => started?.state ?? { status: 'ok', running: 0 });
  const worker = new Worker({ ...options, client: options.client as unknown as Client }, health);
  started = worker;
  if (options.signals !== false) stopOnSignals(worker);
  return worker;
}

function stopOnSignals(worker: Worker): void {
  const names = ['SIGTERM', 'SIGINT'] as const;
  const forget = () => {
    for (const name of names) process.off(name, onSignal);
  };
  const stopAll = async (name: (typeof names)[number]) => {
    await worker.stop();
    forget();
    // What the signal does to a process that does not listen.
    if (process.listenerCount(name) === 0) process.kill(process.pid, name);
  };
  const onSignal = (name: (typeof names)[number]) => void stopAll(name);
  for (const name of names) process.on(name, onSignal);
  void worker.ended.then(() => worker.stop(), () => worker.stop()).finally(forget);
}

/** Waits for it, but no longer. */
async function within(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const enough = new AbortController();
  await Promise.race([work, pause(milliseconds, enough.signal).catch(() => {})]);
  enough.abort();
}
