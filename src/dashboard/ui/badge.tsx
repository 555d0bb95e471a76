import type { ComponentChildren } from 'preact';
import type { JobStatus } from '../generated/jobs.ts';

const statuses: Record<JobStatus, { word: string; path: string }> = {
  PENDING: { word: 'Pending', path: 'M8 4v4l2.5 2' },
  RUNNING: { word: 'Running', path: 'M6.5 5l4.5 3-4.5 3z' },
  COMPLETED: { word: 'Completed', path: 'M5 8.2l2 2 4-4.4' },
  FAILED: { word: 'Failed', path: 'M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6' },
  CANCELLED: { word: 'Cancelled', path: 'M5 8h6' },
};

/** `Completed`. */
export function statusWord(status: JobStatus): string {
  return statuses[status].word;
}

/** A job's status: sign, word and colour. */
export function StatusBadge({ status }: { status: JobStatus }) {
  const { word, path } = statuses[status];
  return (
    <span class={`status ${status.toLowerCase()}`}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <circle cx="8" cy="8" r="6.5" />
        <path d={path} />
      </svg>
      {word}
    </span>
  );
}

export type Tone = 'plain' | 'good' | 'bad' | 'warn' | 'busy';

/** A word in a frame. Its tone says nothing that the word does not. */
export function Badge({ children, tone = 'plain' }: { children: ComponentChildren; tone?: Tone }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}
