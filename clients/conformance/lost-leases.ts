/** Who listens to leaseLost. */
export class LostLeases {
  readonly #listeners = new Set<(event: object) => void>();
  readonly #onListener: () => void;

  /** @param onListener told when there is another */
  constructor(onListener: () => void) {
    this.#onListener = onListener;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  tell(lost: { token: string; attempt: number; jobId: string }): void {
    for (const listener of this.#listeners) listener({ leaseLost: { ...lost, reason: 'CANCELLED', job: null } });
  }

  /** Events, until whoever reads them stops. */
  listen(): AsyncIterableIterator<object> {
    const waiting: object[] = [];
    let wake: (() => void) | null = null;
    let open = true;
    const listener = (event: object) => {
      waiting.push(event);
      wake?.();
    };
    const close = () => {
      open = false;
      this.#listeners.delete(listener);
      wake?.();
    };
    this.#listeners.add(listener);
    this.#onListener();
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next() {
        for (;;) {
          const value = waiting.shift();
          if (value !== undefined) return { done: false, value };
          if (!open) return { done: true, value: undefined };
          // oxlint-disable-next-line no-loop-func -- one reader waits at a time
          await new Promise<void>((resolve) => (wake = resolve));
        }
      },
      async return() {
        close();
        return { done: true, value: undefined };
      },
    };
  }
}
