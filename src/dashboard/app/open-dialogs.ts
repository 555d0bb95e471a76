import { signal } from '@preact/signals';
import { giveFocusTo } from '../ui/focus.ts';

/** Ids of the modal dialogs that are open, the topmost last. All that lies outside of that one is inert: it cannot be pressed, and is not read out. */
export const openDialogs = signal<readonly string[]>([]);

/** What had the focus before the first of them: one may follow another, and be opened by what goes with that. */
let before: Element | null = null;

/** To be called before it takes the focus. */
export function dialogOpens(id: string): void {
  if (openDialogs.peek().length === 0) before = document.activeElement;
  openDialogs.value = [...openDialogs.peek(), id];
}

/** To be called when it has closed: the focus goes back to where it was. Where another one is open, the browser has done so. */
export function dialogClosed(id: string): void {
  openDialogs.value = openDialogs.peek().filter((other) => other !== id);
  if (openDialogs.peek().length === 0) giveFocusTo(before);
}
