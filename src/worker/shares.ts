/** For so long after others have waited, no workspace gets more than its share, in milliseconds: what runs is not handed back again and again. */
const calmMilliseconds = 60_000;

/** An attempt that runs. */
export interface Held {
  workspaceId: string;
  /** Hands it back for another workspace. */
  giveWay(): void;
}

/**
 * Who holds the slots of a worker. A workspace may have them all while nobody else waits; while others do, at most half of them, so that
 * its long or stalled jobs stop nobody.
 */
export class Shares {
  /** The most slots of one workspace while others wait. */
  readonly share: number;
  /** In the order in which they began. */
  readonly #held = new Set<Held>();
  #contendedUntil = -Infinity;

  constructor(slots: number) {
    this.share = Math.ceil(slots / 2);
  }

  began(held: Held): void {
    this.#held.add(held);
  }

  ended(held: Held): void {
    this.#held.delete(held);
  }

  /** The workspaces that may have no more while others wait. */
  get satisfied(): string[] {
    return this.#holding((slots) => slots >= this.share);
  }

  /** How many more slots each workspace that may have more at all can take without passing its share. */
  get room(): number {
    return this.share - Math.max(0, ...[...this.#counts().values()].filter((slots) => slots < this.share));
  }

  /** Whether a workspace holds more than its share. */
  get isUneven(): boolean {
    return this.#holding((slots) => slots > this.share).length > 0;
  }

  /** Milliseconds for which others have to be reckoned with. 0 if they have not waited for long. */
  get contended(): number {
    return Math.max(0, this.#contendedUntil - performance.now());
  }

  /** Somebody else has waited: what a workspace began last beyond its share gives way. It loses the least work. */
  giveWay(): void {
    this.#contendedUntil = performance.now() + calmMilliseconds;
    const uneven = new Set(this.#holding((slots) => slots > this.share));
    const last = [...this.#held].findLast(({ workspaceId }) => uneven.has(workspaceId));
    if (last === undefined) return;
    this.#held.delete(last);
    last.giveWay();
  }

  #holding(matches: (slots: number) => boolean): string[] {
    return [...this.#counts()].filter(([, slots]) => matches(slots)).map(([workspaceId]) => workspaceId);
  }

  #counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { workspaceId } of this.#held) counts.set(workspaceId, (counts.get(workspaceId) ?? 0) + 1);
    return counts;
  }
}
