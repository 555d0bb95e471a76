/** The label of everything beyond a bound. */
const other = 'other';

/** The most job types that labels tell apart. */
export const mostTypes = 100;

/** Bounds the values of a label: the first so many keep their name, and all others share one. */
export class BoundedLabel {
  readonly #most: number;
  readonly #known = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  of(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#most) return other;
    this.#known.add(value);
    return value;
  }
}
