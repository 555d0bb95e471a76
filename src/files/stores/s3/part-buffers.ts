import { abortable } from '../../../outbound/abortable.ts';

/** What buffers of parts take at most, in bytes, in a process; two parts where they are larger than half of that. */
const budget = 512 * 1024 ** 2;

/** What is kept of the buffers that were given back last, in bytes: two parts of the usual size. */
const mostSpare = 16 * 1024 ** 2;

/**
 * Bounds the memory of files that are being written: each holds one part, and another one while that is sent. Who comes when all
 * are taken waits, in turn, and its source with it.
 */
export class PartBuffers {
  readonly #waiting: (() => void)[] = [];
  /** Used again by whoever comes next: Node would free each only with a later collection, and hold many until then. */
  readonly #spare: Buffer[] = [];
  #taken = 0;

  /** Waits for room for a buffer. */
  async take(bytes: number, signal: AbortSignal): Promise<Buffer> {
    while (!this.#has(bytes)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await abortable(promise, signal);
    }
    return this.#make(bytes);
  }

  /** Null if there is no room now, or somebody waits for it. */
  tryTake(bytes: number): Buffer | null {
    return this.#waiting.length === 0 && this.#has(bytes) ? this.#make(bytes) : null;
  }

  giveBack(buffer: Buffer): void {
    this.#taken -= buffer.byteLength;
    this.#spare.push(buffer);
    while (this.#spare.reduce((sum, { byteLength }) => sum + byteLength, 0) > mostSpare) this.#spare.shift();
    // All look again: what one part needs is not what another does.
    for (const look of this.#waiting.splice(0)) look();
  }

  #has(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= budget;
  }

  /** Its pages are the system's until they are written: a small file takes no more than it has. */
  #make(bytes: number): Buffer {
    this.#taken += bytes;
    const index = this.#spare.findIndex(({ byteLength }) => byteLength === bytes);
    const [spare] = index === -1 ? [] : this.#spare.splice(index, 1);
    return spare ?? Buffer.allocUnsafeSlow(bytes);
  }
}
