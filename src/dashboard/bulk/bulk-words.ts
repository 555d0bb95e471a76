import type { BulkActionKind, BulkActionStatus, ListedBulkActionFragment } from '../generated/bulk.ts';
import type { Tone } from '../ui/badge.tsx';

export const kindWords: Record<BulkActionKind, string> = { CANCEL: 'Cancel', DELETE: 'Delete', RETRY: 'Retry' };

export const stateWords: Record<BulkActionStatus, { word: string; tone: Tone }> = {
  RUNNING: { word: 'Running', tone: 'busy' },
  COMPLETED: { word: 'Completed', tone: 'good' },
  STOPPED: { word: 'Stopped', tone: 'warn' },
  FAILED: { word: 'Failed', tone: 'bad' },
};

/** How far it is; null where it was not counted how far it has to go. */
export function percentageOf({ seen, total }: ListedBulkActionFragment): number | null {
  return total.exact && total.value > 0 ? Math.min(100, (seen / total.value) * 100) : null;
}

/** `120 of 4,000 seen`. */
export function seenText({ seen, total }: ListedBulkActionFragment): string {
  const of = total.exact ? ` of ${total.value.toLocaleString('en')}` : total.value > 0 ? ` of more than ${total.value.toLocaleString('en')}` : '';
  return `${seen.toLocaleString('en')}${of} seen`;
}

/** `statuses: FAILED; types: demo`. */
export function filterText(filter: Record<string, unknown>): string {
  const parts = Object.entries(filter).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`);
  return parts.length === 0 ? 'all jobs' : parts.join('; ');
}
