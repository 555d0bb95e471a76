import { signal } from '@preact/signals';

/** A filter of ids takes so many. */
export const mostChosen = 100;

/** Which jobs something is to be done to: some, or all that match. Survives changes of the list and steps between its pages. */
export class Selection {
  readonly ids = signal<ReadonlySet<string>>(new Set());
  /** All that match the filter, also those on other pages. */
  readonly everything = signal(false);
  /** The row that the keyboard is at. */
  readonly current = signal<string | null>(null);
  #anchor: string | null = null;
  #among = '';

  /** Which jobs are chosen from. Others: none are chosen any more, lest all that match become all that match something else. */
  chooseAmong(filters: string): void {
    if (filters === this.#among) return;
    this.#among = filters;
    this.clear();
  }

  has(id: string): boolean {
    return this.everything.value || this.ids.value.has(id);
  }

  /**
   * Takes a row in, or out again.
   *
   * @param range all rows from the last one touched to this one become as this one becomes
   * @returns false where it would be too many
   */
  toggle(id: string, order: readonly string[], { range = false }: { range?: boolean } = {}): boolean {
    const chosen = new Set(this.everything.value ? order : this.ids.value);
    const add = !chosen.has(id);
    for (const one of range ? this.#between(id, order) : [id]) {
      if (add) chosen.add(one);
      else chosen.delete(one);
    }
    this.#anchor = id;
    return this.#set(chosen);
  }

  /** Moves the keyboard's row. @param extend the rows from where it was are taken in */
  move(step: number, order: readonly string[], { extend = false }: { extend?: boolean } = {}): string | null {
    const at = order.indexOf(this.current.value ?? '');
    const next = order[at === -1 ? 0 : Math.min(order.length - 1, Math.max(0, at + step))] ?? null;
    if (extend && next !== null) this.#set(new Set([...this.ids.value, ...(at === -1 ? [] : [order[at] ?? next]), next]));
    this.current.value = next;
    if (!extend) this.#anchor = next;
    return next;
  }

  /** All rows of the page, or none of them. */
  togglePage(order: readonly string[]): boolean {
    const chosen = new Set(this.everything.value ? [] : this.ids.value);
    const all = !this.everything.value && order.every((id) => chosen.has(id));
    for (const id of order) {
      if (all || this.everything.value) chosen.delete(id);
      else chosen.add(id);
    }
    return this.#set(chosen);
  }

  chooseEverything(): void {
    this.everything.value = true;
  }

  clear(): void {
    this.ids.value = new Set();
    this.everything.value = false;
    this.#anchor = null;
  }

  #set(chosen: ReadonlySet<string>): boolean {
    if (chosen.size > mostChosen) return false;
    this.ids.value = chosen;
    this.everything.value = false;
    return true;
  }

  #between(id: string, order: readonly string[]): readonly string[] {
    const from = order.indexOf(this.#anchor ?? id);
    const to = order.indexOf(id);
    return from === -1 ? [id] : order.slice(Math.min(from, to), Math.max(from, to) + 1);
  }
}
