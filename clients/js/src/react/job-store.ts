import type { Client } from '../client.ts';
import type { Job } from '../job.ts';
import type { TransportName } from '../live/transport.ts';
import { Store } from './store.ts';

/** A job as it is shown. */
export interface ShownJob<Output = unknown> {
  /** Null until it was read. */
  job: Job<Output> | null;
  /** Why it is not followed any more; null while it is, and when it has ended. */
  error: unknown;
  /** Over what it is followed; null before the server was heard. */
  transport: TransportName | null;
}

export const noJob: ShownJob<never> = { job: null, error: null, transport: null };

/** Follows one job. */
export class JobStore extends Store<ShownJob> {
  readonly #client: Client;
  readonly #id: string;

  constructor(client: Client, id: string) {
    super(noJob);
    this.#client = client;
    this.#id = id;
  }

  protected async run(signal: AbortSignal): Promise<void> {
    // Of a job that was shown before, what is newer.
    const afterVersion = this.getSnapshot().job?.version;
    const updates = this.#client.handle(this.#id).updates({ signal, afterVersion });
    for await (const job of updates) this.set({ job, error: null, transport: updates.transport });
  }

  protected failed(error: unknown): void {
    this.set({ ...this.getSnapshot(), error });
  }
}
