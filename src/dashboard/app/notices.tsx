import { signal } from '@preact/signals';

/** A short message at the edge of the page. */
interface Notice {
  id: number;
  text: string;
  kind: 'done' | 'failed';
  /** A way on: `{ label: 'Show', href: '#/…' }`. */
  link: { label: string; href: string } | null;
}

const notices = signal<readonly Notice[]>([]);
const spoken = signal('');
let count = 0;

/** How long a message of success stays, in milliseconds. What failed stays until it is dismissed. */
const shownFor = 6_000;

/** Tells what was done, or why not. Read out by screen readers. */
export function notify(text: string, { kind = 'done', link = null }: Partial<Pick<Notice, 'kind' | 'link'>> = {}): void {
  count += 1;
  const id = count;
  notices.value = [...notices.value.slice(-3), { id, text, kind, link }];
  if (kind === 'done') setTimeout(() => dismiss(id), shownFor);
}

/** Says something to screen readers alone, such as a job's progress: the newest replaces what was not read yet. */
export function announce(text: string): void {
  spoken.value = text;
}

function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

export function Notices() {
  return (
    <>
      <div class="notices" role="status" aria-live="polite">
        {notices.value.map(({ id, text, kind, link }) => (
          <div key={id} class={`notice ${kind}`}>
            <span>{text}</span>
            {link !== null && <a href={link.href}>{link.label}</a>}
            <button type="button" class="button quiet" aria-label="Dismiss" onClick={() => dismiss(id)}>
              ×
            </button>
          </div>
        ))}
      </div>
      <div class="unseen" aria-live="polite">
        {spoken.value}
      </div>
    </>
  );
}
