import type { ComponentChildren } from 'preact';

/** In place of a list without entries: says so, and how to get one. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}
