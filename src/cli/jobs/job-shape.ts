import type { Job } from '@longhaul/client';
import type { Shape } from '../output/print-list.ts';
import { stepOf } from '../watching/change-lines.ts';

/** A job in a table. */
export const jobShape: Shape<Job> = {
  columns: {
    id: null,
    type: null,
    status: null,
    progress: ({ status, progress }) => (status === 'RUNNING' && progress !== null ? `${progress.percentage === null ? '' : `${Math.floor(progress.percentage)}% `}${stepOf(progress)}` : null),
    createdAt: null,
    finishedAt: null,
    tags: null,
    error: ({ error }) => error?.code ?? null,
  },
  id: 'id',
};
