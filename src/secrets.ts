import { hkdfSync } from 'node:crypto';

/** The values of SECRET. The first signs and encrypts; what was made with any of them is still accepted. */
export class Secrets {
  readonly #values: readonly [string, ...string[]];

  constructor(values: readonly [string, ...string[]]) {
    this.#values = values;
  }

  /** Derives keys of 32 bytes for one purpose, so that nothing made for another purpose is accepted. Newest first. */
  keysFor(purpose: string): [Buffer, ...Buffer[]] {
    return this.map((value) => Buffer.from(hkdfSync('sha256', value, '', purpose, 32)));
  }

  /** Applies a function to each value, in order. */
  map<Result>(make: (value: string) => Result): [Result, ...Result[]] {
    const [first, ...others] = this.#values;
    return [make(first), ...others.map(make)];
  }
}
