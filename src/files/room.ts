import { Loop } from '../concurrency/loop.ts';
import type { Log } from '../log.ts';
import type { Store } from './stores/store.ts';

const lookMilliseconds = 2_000;

/** A refusal counts for this long at least: a quota may be full where the volume is not. */
const calmMilliseconds = 10_000;

const mebibyte = 1024 ** 2;

/** Below this a store is full, and from `enough` on it is not any more: parts of it on a small one. Bytes. */
const scarce = { bytes: 16 * mebibyte, part: 0.02 };
const enough = { bytes: 64 * mebibyte, part: 0.05 };

/** Where there is room, or not. */
export type Place = Pick<Store, 'place' | 'space'>;

/** What the log says of it. */
interface Words {
  /** The name of its loop. */
  loop: string;
  full: string;
  free: string;
}

const wordsOfFiles: Words = {
  loop: 'looking for room for files',
  full: 'the store of the files is full, only reads or does not answer: no job that writes a file is begun here. See to it, or make room',
  free: 'the store of the files takes files again',
};

/** Knows whether there is room for more files. It looks by itself, and is told when a write was refused. */
export class Room {
  readonly #place: Place;
  readonly #words: Words;
  readonly #log: Log;
  readonly loop: Loop;
  #isFull = false;
  #freeBytes = Number.NaN;
  #refusedAt = -Infinity;
  #changing = new AbortController();

  constructor(place: Place, log: Log, words: Words = wordsOfFiles) {
    this.#place = place;
    this.#words = words;
    this.#log = log;
    this.loop = new Loop({ name: words.loop, work: () => this.#look(), pollMilliseconds: lookMilliseconds, log });
  }

  start(): void {
    this.loop.start();
    this.loop.wake();
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** NaN before the first look, and where the store has no end. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Aborts when it becomes full, or has room again. */
  get changed(): AbortSignal {
    return this.#changing.signal;
  }

  /** A write was refused, or the place did not answer. */
  refused(error: unknown): void {
    this.#refusedAt = performance.now();
    this.#become(true, { err: error });
  }

  async #look(): Promise<void> {
    const space = await this.#place.space();
    this.#freeBytes = space?.freeBytes ?? Number.NaN;
    const isBelow = ({ bytes, part }: typeof scarce) => space !== null && space.freeBytes < Math.min(bytes, part * space.bytes);
    const looked = { freeBytes: space?.freeBytes };
    if (isBelow(scarce)) this.#become(true, looked);
    else if (!isBelow(enough) && performance.now() - this.#refusedAt > calmMilliseconds) this.#become(false, looked);
  }

  /** @param why what it was seen by. What a look before a refusal has found says nothing about that. */
  #become(isFull: boolean, why: { freeBytes: number | undefined } | { err: unknown }): void {
    if (this.#isFull === isFull) return;
    this.#isFull = isFull;
    const fields = { place: this.#place.place, ...why };
    if (isFull) this.#log.error(fields, this.#words.full);
    else this.#log.info(fields, this.#words.free);
    const changing = this.#changing;
    this.#changing = new AbortController();
    changing.abort();
  }
}
