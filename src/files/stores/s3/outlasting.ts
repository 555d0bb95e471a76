import { addAbortListener } from 'node:events';

/** A signal that aborts some time after another one. */
export class Outlasting {
  readonly #controller = new AbortController();
  readonly #listener: Disposable;
  #timer: NodeJS.Timeout | null = null;

  constructor(signal: AbortSignal, milliseconds: number) {
    this.#listener = addAbortListener(signal, () => {
      if (milliseconds === 0) this.#controller.abort(signal.reason);
      else this.#timer = setTimeout(() => this.#controller.abort(signal.reason), milliseconds);
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Forgets the other one. */
  end(): void {
    this.#listener[Symbol.dispose]();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
