import { signal } from '@preact/signals';
import type { TargetedFocusEvent } from 'preact';
import { useRef } from 'preact/hooks';
import { giveFocusTo } from '../ui/focus.ts';
import { openDialogs } from './open-dialogs.ts';

/** A short message at the edge of the page. */
interface Notice {
  id: number;
  text: string;
  kind: 'done' | 'failed';
  /** A way on: `{ label: 'Show', href: '#/…' }`. */
  link: { label: string; href: string } | null;
}

const notices = signal<readonly Notice[]>([]);
/** Those that are being read out. */
const said = signal<readonly Notice[]>([]);
const spoken = signal('');
let count = 0;

/** How long a message of success stays, in milliseconds. What failed stays until it is dismissed. */
const shownFor = 6_000;

/** A dialog that opens or closes with a message has done so by then, in milliseconds: what comes where all is inert yet is not read out. */
const saidAfter = 100;

/** Tells what was done, or why not. Read out by screen readers. */
export function notify(text: string, { kind = 'done', link = null }: Partial<Pick<Notice, 'kind' | 'link'>> = {}): void {
  count += 1;
  const id = count;
  const notice = { id, text, kind, link };
  notices.value = [...notices.value.slice(-3), notice];
  setTimeout(() => (said.value = [...said.value, notice]), saidAfter);
  setTimeout(() => (said.value = said.value.filter((other) => other !== notice)), shownFor);
  if (kind === 'done') setTimeout(() => dismissInTime(id), shownFor);
}

/** Says something to screen readers alone, such as a job's progress: the newest replaces what was not read yet. */
export function announce(text: string): void {
  spoken.value = text;
}

function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Dismisses it, but not while somebody points at it or is about to press what is on it. */
function dismissInTime(id: number): void {
  if (document.querySelector(`[data-notice="${id}"]:is(:hover, :focus-within)`) === null) dismiss(id);
  else setTimeout(() => dismissInTime(id), shownFor);
}

/**
 * The messages, in the page and in each dialog: they are shown in the topmost, as all else is inert. What is read out stands in all of
 * them, so that nothing is read twice when a dialog opens or closes: it is read where it comes into what is not inert.
 *
 * @param dialog the id of the dialog that this stands in; without it, this is the page's own
 */
export function Notices({ dialog }: { dialog?: string }) {
  /** What had the focus before it came here. */
  const before = useRef<Element | null>(null);
  const shown = openDialogs.value.at(-1) === dialog;
  const onFocusIn = ({ currentTarget: list, relatedTarget: from }: TargetedFocusEvent<HTMLElement>) => {
    if (!(from instanceof Element)) before.current = null;
    else if (!list.contains(from)) before.current = from;
  };
  const close = (id: number, button: Element) => {
    const focused = document.activeElement === button;
    dismiss(id);
    if (focused) giveFocusTo(before.current);
  };
  return (
    <div class="notices">
      {shown && notices.value.length > 0 && (
        <div class="notice-list" role="region" aria-label="Notices" onFocusIn={onFocusIn}>
          {notices.value.map(({ id, text, kind, link }) => (
            <div key={id} class={`notice ${kind}`} data-notice={id}>
              <span>{text}</span>
              {link !== null && <a href={link.href}>{link.label}</a>}
              <button type="button" class="button quiet" aria-label="Dismiss" onClick={({ currentTarget }) => close(id, currentTarget)}>
                ×
              </button>
            </div>
          ))}
        </div>
      )}
      <div class="unseen" aria-live="polite">
        {said.value.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
      <div class="unseen" aria-live="polite">
        {spoken.value}
      </div>
    </div>
  );
}
