import type { Tone } from '../ui/badge.tsx';

/** The state of a delivery, in a word. */
export const deliveryStates = {
  DELIVERED: { word: 'Delivered', tone: 'good' },
  FAILED: { word: 'Failed', tone: 'bad' },
  PENDING: { word: 'Waiting', tone: 'busy' },
} as const satisfies Record<string, { word: string; tone: Tone }>;

/** The event as its receiver reads it. */
export const eventNames = {
  JOB_COMPLETED: 'job.completed',
  JOB_FAILED: 'job.failed',
  JOB_CANCELLED: 'job.cancelled',
} as const;
