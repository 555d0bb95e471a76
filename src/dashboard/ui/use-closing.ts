import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** For a `<details>` that lies over the page. */
interface Closing {
  ref: RefObject<HTMLDetailsElement | null>;
  /** @param focus whether the focus goes back to its button */
  shut: (focus: boolean) => void;
}

/** Escape, a click elsewhere and a step of the focus elsewhere close it. */
export function useClosing(): Closing {
  const ref = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      if (event.target instanceof Node && ref.current?.contains(event.target) === false) ref.current.open = false;
    };
    // Wherever the focus is: some browsers give none to what is pressed.
    const closeByKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || ref.current?.open !== true) return;
      event.preventDefault();
      shut(true);
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('focusin', close);
    document.addEventListener('keydown', closeByKey);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('focusin', close);
      document.removeEventListener('keydown', closeByKey);
    };
  }, []);
  const shut = (focus: boolean) => {
    const { current } = ref;
    if (current === null) return;
    current.open = false;
    if (focus) current.querySelector('summary')?.focus();
  };
  return { ref, shut };
}
