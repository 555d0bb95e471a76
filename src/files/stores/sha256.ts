import { createSHA256, type IHasher } from 'hash-wasm';
import { KeptLostError } from './errors.ts';
import type { Finished, Kept } from './store.ts';

/** A SHA-256 whose state outlives the process, which Node's own does not. */
export class Sha256 {
  readonly #hasher: IHasher;

  private constructor(hasher: IHasher) {
    this.#hasher = hasher;
  }

  /**
   * Begins, or goes on from a state.
   *
   * @throws KeptLostError if the state cannot be read, as after an update of the library.
   */
  static async from(state: string | null): Promise<Sha256> {
    const hasher = await createSHA256();
    try {
      if (state !== null) hasher.load(Buffer.from(state, 'base64'));
    } catch (error) {
      throw new KeptLostError(error);
    }
    return new Sha256(hasher);
  }

  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
  }

  get state(): string {
    return Buffer.from(this.#hasher.save()).toString('base64');
  }

  /** In lower-case hex. Ends it. */
  digest(): string {
    return this.#hasher.digest('hex');
  }
}

/** What a file is, all of which was kept. */
export async function finished({ bytes, sha256 }: Kept): Promise<Finished> {
  return { bytes, sha256: (await Sha256.from(sha256)).digest() };
}
