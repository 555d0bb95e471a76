import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** What is shown when it is opened, and not made before. @param needed opens it: something in it is to be seen */
export function Details({ summary, needed = false, children }: { summary: string; needed?: boolean; children: () => ComponentChildren }) {
  const open = useSignal(false);
  const details = useRef<HTMLDetailsElement>(null);
  useLayoutEffect(() => {
    if (needed && details.current !== null) details.current.open = true;
  }, [needed]);
  return (
    <details ref={details} class="details" onToggle={({ currentTarget }) => (open.value = currentTarget.open)}>
      <summary>{summary}</summary>
      {(open.value || needed) && <div class="details-content">{children()}</div>}
    </details>
  );
}
