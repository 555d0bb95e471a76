import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Server } from '../servers.ts';
import type { Stops } from '../stops.ts';
import type { Count, Order } from './crowd.ts';

const crowdMain = fileURLToPath(new URL('crowd.ts', import.meta.url));

export interface Watching {
  query: string;
  /** One entry per watcher, distributed over the processes in turn. */
  variables: Record<string, unknown>[];
  /** Whether the server sends the current version first. */
  snapshot: boolean;
}

/** Watchers of one server, in separate processes. */
export class Crowds {
  readonly #processes: ChildProcess[];

  private constructor(processes: ChildProcess[]) {
    this.#processes = processes;
  }

  /** Resolves when all watchers have subscribed. */
  static async open(
    { port }: Server,
    key: string,
    { query, variables, snapshot }: Watching,
    processes: number,
    stops: Stops,
  ): Promise<Crowds> {
    const crowds = new Crowds(Array.from({ length: processes }, () => fork(crowdMain, { stdio: 'inherit' })));
    stops.push(() => crowds.close());
    const share = Math.ceil(variables.length / processes);
    await Promise.all(
      crowds.#processes.map((child, index) => {
        const part = variables.slice(index * share, (index + 1) * share);
        return ask(child, { do: 'open', target: { port, key }, query, variables: part, snapshot });
      }),
    );
    return crowds;
  }

  /** Resolves when every watcher has received a version. */
  async begun(): Promise<void> {
    await Promise.all(this.#processes.map((child) => ask(child, { do: 'begin' })));
  }

  /** What was received since the last count. */
  async count(): Promise<Count> {
    const counts = await Promise.all(this.#processes.map((child) => ask(child, { do: 'count' })));
    return {
      messages: counts.reduce((sum, { messages }) => sum + messages, 0),
      delays: counts.flatMap(({ delays }) => delays),
    };
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#processes.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const closed = once(child, 'exit');
        child.kill('SIGKILL');
        await closed;
      }),
    );
  }
}

async function ask(child: ChildProcess, order: Order): Promise<Count> {
  const over = new AbortController();
  try {
    child.send(order);
    return await Promise.race([
      once(child, 'message', { signal: over.signal }).then(([answer]: Count[]) => answer ?? nothing),
      once(child, 'exit', { signal: over.signal }).then(() => {
        throw new Error('a process of watchers exited; its output is above');
      }),
    ]);
  } finally {
    over.abort();
  }
}

const nothing: Count = { messages: 0, delays: [] };
