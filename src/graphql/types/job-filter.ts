import { builder } from '../builder.ts';
import { JobStatusType } from './job.ts';

export const JobFilterInput = builder.inputType('JobFilter', {
  description: 'Selects the jobs that match every given field.',
  fields: (t) => ({
    statuses: t.field({ type: [JobStatusType], description: 'Jobs with one of these statuses.' }),
    types: t.stringList({ description: 'Jobs of one of these types. At most 100.' }),
    tags: t.stringList({ description: 'Jobs with all of these tags. At most 20.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Exclusive, to the millisecond.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Exclusive, to the millisecond.' }),
  }),
});

export const JobUpdatesFilterInput = builder.inputType('JobUpdatesFilter', {
  description: 'Selects updates of the jobs that match every given field.',
  fields: (t) => ({
    ids: t.idList({ description: 'These jobs, by global id or plain UUID. At most 100.' }),
    types: t.stringList({ description: 'Jobs of one of these types. At most 100.' }),
    tags: t.stringList({ description: 'Jobs with all of these tags. At most 20.' }),
  }),
});

export const JobOrderType = builder.enumType('JobOrder', {
  description: 'Order of a list of jobs, by creation.',
  values: {
    NEWEST_FIRST: { value: 'DESC', description: 'The newest job first.' },
    OLDEST_FIRST: { value: 'ASC', description: 'The oldest job first.' },
  } as const,
});
