import type { Job, JobSummary } from '@longhaul/client';
import type { PropertiesOf } from '../output/columns.ts';
import type { Shape } from '../output/print-list.ts';
import { progressText } from '../progress/change-lines.ts';

const summaryProperties: PropertiesOf<JobSummary> = { id: null, uuid: null, type: null, status: null, version: null, creditsCharged: null, creditsRefunded: null };

const jobProperties: PropertiesOf<Job> = {
  ...summaryProperties,
  progress: { step: null, message: null, percentage: null },
  output: 'any',
  error: { code: null, message: null },
  tags: 'any',
  priority: null,
  maxAttempts: null,
  cancelReason: null,
  clientReference: null,
  downloadUrl: null,
  artifacts: { id: null, name: null, filename: null, mediaType: null, bytes: null, sha256: null, url: null, expiresAt: null },
  runAt: null,
  nextAttemptAt: null,
  createdAt: null,
  startedAt: null,
  finishedAt: null,
  updatedAt: null,
};

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
  properties: jobProperties,
  id: 'id',
};

/** What a mutation answers with. */
export const summaryShape: Shape<JobSummary> = {
  columns: { id: null, type: null, status: null, creditsRefunded: null },
  properties: summaryProperties,
  id: 'id',
};
