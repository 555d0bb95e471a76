import { propertiesIn } from '../output/columns.ts';
import type { Shape } from '../output/print-list.ts';

/** A schedule, as far as tables show it. */
export interface ShownSchedule {
  id: string;
  name: string;
  cron: string;
  timeZone: string;
  type: string;
  paused: boolean;
  nextRunAt: string | null;
  lastRunAt: string | null;
  lastError: { code: string; message: string } | null;
}

export const scheduleFields = `id name cron timeZone type input tags priority overlap webhookUrl maxAttempts concurrencyKey concurrencyLimit
  paused nextRunAt lastRunAt lastError { code message } createdAt`;

export const scheduleShape: Shape<ShownSchedule> = {
  columns: {
    id: null,
    name: null,
    type: null,
    cron: null,
    timeZone: null,
    next: ({ paused, nextRunAt }) => (paused ? 'paused' : nextRunAt),
    lastRunAt: null,
    error: ({ lastError }) => lastError?.code ?? null,
  },
  properties: propertiesIn(scheduleFields, ['input', 'tags']),
  id: 'id',
};
