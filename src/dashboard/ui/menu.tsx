import type { ComponentChildren } from 'preact';
import { useClosing } from './use-closing.ts';
import './menu.css';

/** A button that opens a few commands. Escape, a click elsewhere and a command close it. */
export function Menu({ label, children }: { label: ComponentChildren; children: ComponentChildren }) {
  const { ref, shut } = useClosing();
  return (
    <details class="menu" ref={ref}>
      <summary class="button">{label}</summary>
      <div class="popup menu-list" onClick={() => shut(true)}>
        {children}
      </div>
    </details>
  );
}
