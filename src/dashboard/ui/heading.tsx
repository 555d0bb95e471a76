import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** Whether the next heading takes the focus, and what had it when that was asked for. */
let expected = false;
let focused: Element | null = null;

/** The page has gone to another screen: its heading takes the focus as soon as it is there, so that keyboards and screen readers go on from it. */
export function expectHeading(): void {
  expected = true;
  focused = document.activeElement;
}

/** Gives the focus to the heading of the screen that is shown. */
export function focusHeading(): void {
  document.querySelector('h1')?.focus({ preventScroll: true });
}

/** The heading of a screen. */
export function Heading({ children, class: look }: { children: ComponentChildren; class?: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!expected) return;
    expected = false;
    const { activeElement } = document;
    // Who has gone on to something else meanwhile keeps the focus there.
    if (activeElement === focused || activeElement === document.body) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1} class={look}>
      {children}
    </h1>
  );
}
