import type { Job } from '@longhaul/client';
import type { Shape } from '../output/print-list.ts';
import { progressText } from '../progress/change-lines.ts';

/** A job in a table. */
export const jobShape: Shape<Job> = {
  columns: {
    id: null,
    type: null,
    status: null,
    progress: ({ status, progress }) => (status === 'RUNNING' ? progressText(progress) : null),
    createdAt: null,
    finishedAt: null,
    tags: null,
    error: ({ error }) => error?.code ?? null,
  },
  id: 'id',
};
