/** What components show, kept by a process outside of React while any of them shows it. */
export abstract class Store<Snapshot> {
  #snapshot: Snapshot;
  readonly #listeners = new Set<() => void>();
  #running: AbortController | null = null;

  constructor(first: Snapshot) {
    this.#snapshot = first;
  }

  /** Of the process that runs: aborted when it ends, and another may begin; null where none does. */
  protected get running(): AbortSignal | null {
    return this.#running?.signal ?? null;
  }

  /** Whether a component shows it. */
  get isUsed(): boolean {
    return this.#listeners.size > 0;
  }

  readonly getSnapshot = (): Snapshot => this.#snapshot;

  /** The process starts with the first listener, and ends soon after the last: StrictMode leaves and comes back at once. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.start();
    return () => {
      this.#listeners.delete(listener);
      setTimeout(() => this.#stopIfUnused());
    };
  };

  /** Runs until the signal is aborted. What it rejects with is given to `failed`. */
  protected abstract run(signal: AbortSignal): Promise<void>;

  protected abstract failed(error: unknown): void;

  /** Again from the start, where it has ended. */
  protected start(): void {
    if (this.#running !== null) return;
    const running = new AbortController();
    this.#running = running;
    const { signal } = running;
    this.run(signal).catch((error: unknown) => {
      if (!signal.aborted) this.failed(error);
    });
  }

  protected restart(): void {
    this.#running?.abort();
    this.#running = null;
    if (this.#listeners.size > 0) this.start();
  }

  protected set(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }

  #stopIfUnused(): void {
    if (this.#listeners.size > 0) return;
    this.#running?.abort();
    this.#running = null;
  }
}
