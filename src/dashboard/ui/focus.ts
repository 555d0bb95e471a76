import { focusHeading } from './heading.tsx';

/** Gives the focus back to what had it. What was done meanwhile may have taken that away, or does so soon: then the screen's heading has it. */
export function giveFocusTo(place: Element | null): void {
  // In a menu that has closed meanwhile nothing can have it but its button.
  const target = place?.closest('details:not([open])')?.querySelector('summary') ?? place;
  if (!(target instanceof HTMLElement) || target === document.body) return;
  target.focus();
  if (document.activeElement === target) untilItGoes(target);
  else focusHeading();
}

/** Gives the focus to the first field of a form that is not right, and opens what hides it. */
export function focusFirstWrong(form: HTMLElement | null): void {
  const first = form?.querySelector<HTMLElement>('[aria-invalid=true]');
  for (let parent = first?.parentElement; parent != null; parent = parent.parentElement) if (parent instanceof HTMLDetailsElement) parent.open = true;
  first?.focus();
}

/** Looks after what was given the focus, until that has gone on. */
function untilItGoes(target: HTMLElement): void {
  const observer = new MutationObserver(() => {
    if (target.isConnected) return;
    leave();
    if (document.activeElement === document.body) focusHeading();
  });
  const leave = () => {
    observer.disconnect();
    document.removeEventListener('focusin', leave);
  };
  observer.observe(document.body, { childList: true, subtree: true });
  document.addEventListener('focusin', leave);
}
