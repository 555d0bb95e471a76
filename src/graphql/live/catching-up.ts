import type { Frame } from './frame.ts';
import type { Member } from './member.ts';

/** A source whose events can be read again: pages of what is numbered without gaps. */
interface PagedSource extends AsyncIterable<unknown> {
  /** Its first event follows this number. */
  readonly start: number;
  /** Where the request itself says to begin, other than by a variable that those who share may differ in. */
  readonly from: number;
  /** A page of what follows a number, up to another one. Null if the source has been closed. */
  missed(after: number, upTo: number): Promise<{ upTo: number } | null>;
}

export function isPaged(source: object): source is PagedSource {
  return 'start' in source && 'from' in source && 'missed' in source;
}

/**
 * Brings members to where the other members of their broadcast are. Each is sent what it has missed, as fast as it reads, until
 * it is exactly there: so it gets everything, and nothing twice.
 */
export class CatchingUp {
  readonly #source: PagedSource;
  readonly #render: (event: unknown) => Promise<Frame | null>;
  /** Up to where the others were offered everything. */
  #position: number;
  #moved = Promise.withResolvers<void>();
  #hasEnded = false;

  constructor(source: PagedSource, render: (event: unknown) => Promise<Frame | null>) {
    this.#source = source;
    this.#render = render;
    this.#position = source.start;
  }

  /** @param join called when the member is there, unless it has left: at once, so that it misses no event in between */
  async bring(member: Member, join: () => void): Promise<void> {
    member.skipTo(this.#source.from);
    while (!member.isOver && !this.#isThere(member)) await this.#advance(member);
    if (!member.isOver) join();
  }

  /** The others are offered everything up to here now. */
  moveTo(position: number): void {
    this.#position = position;
    this.#tellMoved();
  }

  /** Nothing comes after where the others are. */
  end(): void {
    this.#hasEnded = true;
    this.#tellMoved();
  }

  #isThere({ seen }: Member): boolean {
    return seen === this.#position || (this.#hasEnded && seen > this.#position);
  }

  async #advance(member: Member): Promise<void> {
    // It was on a process before that had read more.
    if (member.seen > this.#position) return this.#moved.promise;
    const page = await this.#source.missed(member.seen, this.#position);
    // Whoever closes the source lets its members go.
    if (page === null) return this.#moved.promise;
    const frame = await this.#render(page);
    if (frame !== null) member.offer(frame);
    member.skipTo(page.upTo);
    await member.drained();
  }

  #tellMoved(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }
}
