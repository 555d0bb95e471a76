import { counted } from '../app/counted.ts';
import type { BulkActionKind, BulkActionStatus, JobStatus, ListedBulkActionFragment } from '../generated/bulk.ts';
import type { Tone } from '../ui/badge.tsx';

/** What each does to whom, in words. */
export const bulkKinds: Record<BulkActionKind, { verb: string; done: string; to: readonly JobStatus[]; explains: string; none: string }> = {
  CANCEL: {
    verb: 'Cancel',
    done: 'cancelled',
    to: ['PENDING', 'RUNNING'],
    explains: 'Jobs that wait or run are cancelled for good, and their credits are refunded.',
    none: 'None of these jobs waits or runs.',
  },
  RETRY: {
    verb: 'Retry',
    done: 'retried',
    to: ['FAILED', 'CANCELLED'],
    explains: 'Each job that failed or was cancelled is created again as a new job, and charged again.',
    none: 'None of these jobs failed or was cancelled.',
  },
  DELETE: {
    verb: 'Delete',
    done: 'deleted',
    to: ['COMPLETED', 'FAILED', 'CANCELLED'],
    explains: 'Jobs that have ended are removed with their files and logs. This cannot be undone.',
    none: 'None of these jobs has ended.',
  },
};

export const bulkStates: Record<BulkActionStatus, { word: string; tone: Tone }> = {
  RUNNING: { word: 'Running', tone: 'busy' },
  COMPLETED: { word: 'Completed', tone: 'good' },
  STOPPED: { word: 'Stopped', tone: 'warn' },
  FAILED: { word: 'Failed', tone: 'bad' },
};

/** How far it is; null where it was not counted how far it has to go. */
export function percentageOf({ status, seen, total }: ListedBulkActionFragment): number | null {
  if (status === 'COMPLETED') return 100;
  return total.exact && total.value > 0 ? Math.min(100, (seen / total.value) * 100) : null;
}

/** `120 of 4,000 jobs seen`. */
export function seenText({ seen, total }: ListedBulkActionFragment): string {
  if (total.value === 0) return `${counted(seen, 'job')} seen`;
  return `${seen.toLocaleString('en')} of ${counted(total, 'job')} seen`;
}

/** `120 cancelled`. */
export function doneText({ kind, done }: ListedBulkActionFragment): string {
  return `${done.toLocaleString('en')} ${bulkKinds[kind].done}`;
}

/** `statuses: FAILED; types: demo`. */
export function filterText(filter: Record<string, unknown>): string {
  const parts = Object.entries(filter).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`);
  return parts.length === 0 ? 'all jobs' : parts.join('; ');
}
