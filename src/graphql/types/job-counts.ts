import type { JobCounts, JobTypeCounts } from '../../jobs/statistics/counts.ts';
import { builder } from '../builder.ts';

const JobTypeCountsType = builder.objectRef<JobTypeCounts>('JobTypeCounts').implement({
  description: 'The open jobs of one type.',
  fields: (t) => ({
    type: t.exposeString('type', { nullable: false, description: 'Name of the type.' }),
    pending: t.exposeInt('pending', { nullable: false, description: 'Jobs that wait.' }),
    running: t.exposeInt('running', { nullable: false, description: 'Jobs that a worker holds.' }),
    oldestDueAt: t.expose('oldestDueAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the job next in turn became due; null where none is.',
    }),
  }),
});

export const JobCountsType = builder.objectRef<JobCounts>('JobCounts').implement({
  description: 'How many jobs there are, all of one moment. Kept as jobs change, so that asking costs the same however many have ended.',
  fields: (t) => ({
    pending: t.exposeInt('pending', { nullable: false, description: 'Jobs that wait.' }),
    scheduled: t.exposeInt('scheduled', {
      nullable: false,
      description: 'Those of the pending that wait for their runAt or for the end of a backoff.',
    }),
    running: t.exposeInt('running', { nullable: false, description: 'Jobs that a worker holds.' }),
    completed: t.expose('completed', {
      type: 'BigInt',
      nullable: false,
      description: 'Jobs that were completed since the workspace exists, also those that were deleted since.',
    }),
    failed: t.expose('failed', { type: 'BigInt', nullable: false, description: 'The same of jobs that failed.' }),
    cancelled: t.expose('cancelled', { type: 'BigInt', nullable: false, description: 'The same of jobs that were cancelled.' }),
    oldestDueAt: t.expose('oldestDueAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the job next in turn became due; null where none is.',
    }),
    byType: t.field({
      type: [JobTypeCountsType],
      nullable: false,
      description: 'Of the types that have jobs waiting or running, by name.',
      resolve: ({ byType }) => byType,
    }),
  }),
});
