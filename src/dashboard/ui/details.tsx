import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

/** What is shown when it is opened, and not made before. */
export function Details({ summary, children }: { summary: string; children: () => ComponentChildren }) {
  const open = useSignal(false);
  return (
    <details class="details" onToggle={({ currentTarget }) => (open.value = currentTarget.open)}>
      <summary>{summary}</summary>
      {open.value && <div class="details-content">{children()}</div>}
    </details>
  );
}
