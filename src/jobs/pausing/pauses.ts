import type { Bus, Unsubscribe } from '../../bus/bus.ts';
import { Loop } from '../../concurrency/loop.ts';
import type { Database } from '../../database/database.ts';
import type { Log } from '../../log.ts';

/** Bus topic for what was paused or is not any more. Its messages are empty. */
const pausesTopic = 'pauses';

const pollMilliseconds = 5_000;

const statement = `
  SELECT id::text AS workspace, NULL AS type FROM workspace WHERE paused
  UNION ALL SELECT NULL, name FROM paused_job_type`;

/**
 * What is paused, for those who are told of it: kept in memory, so that no creation asks the database. Claims do not rely on
 * it. Known on this process when a call that changes it returns, on others when the bus has told them or within five seconds.
 */
export class Pauses {
  readonly #bus: Bus;
  readonly loop: Loop;
  #workspaces: ReadonlySet<string> = new Set();
  #types: ReadonlySet<string> = new Set();
  #unsubscribe: Unsubscribe = () => undefined;

  constructor(database: Database, bus: Bus, log: Log) {
    this.#bus = bus;
    const work = async () => {
      const rows = await database.hot.query<{ workspace: string | null; type: string | null }>(statement);
      this.#workspaces = new Set(rows.flatMap(({ workspace }) => workspace ?? []));
      this.#types = new Set(rows.flatMap(({ type }) => type ?? []));
    };
    this.loop = new Loop({ name: 'reading what is paused', work, pollMilliseconds, log });
  }

  /** Resolves when it was read, or could not be. */
  async start(): Promise<void> {
    this.#unsubscribe = await this.#bus.subscribe(pausesTopic, () => this.loop.wake());
    this.loop.start();
    await this.loop.settle();
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.loop.stop();
  }

  hasWorkspace(workspaceId: string): boolean {
    return this.#workspaces.has(workspaceId);
  }

  hasType(type: string): boolean {
    return this.#types.has(type);
  }

  /** Call it after a change was committed. Resolves when this process knows it. */
  async changed(): Promise<void> {
    this.#bus.publish(pausesTopic, '');
    await this.loop.settle();
  }
}
