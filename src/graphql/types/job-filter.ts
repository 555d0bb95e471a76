import { builder } from '../builder.ts';
import { JobStatusType } from './job.ts';

export const JobFilterInput = builder.inputType('JobFilter', {
  description: 'Which jobs: those for which everything holds that is given.',
  fields: (t) => ({
    statuses: t.field({ type: [JobStatusType], description: 'Jobs in one of these.' }),
    types: t.stringList({ description: 'Jobs of one of these types; at most 100.' }),
    tags: t.stringList({ description: 'Jobs that bear every one of these; at most 20.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Exclusive, to the millisecond.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Exclusive, to the millisecond.' }),
  }),
});

export const JobUpdatesFilterInput = builder.inputType('JobUpdatesFilter', {
  description: 'Whose updates: those of jobs for which everything holds that is given.',
  fields: (t) => ({
    ids: t.idList({ description: 'These jobs, by global id or plain UUID; at most 100.' }),
    types: t.stringList({ description: 'Jobs of one of these types; at most 100.' }),
    tags: t.stringList({ description: 'Jobs that bear every one of these; at most 20.' }),
  }),
});

export const JobOrderType = builder.enumType('JobOrder', {
  description: 'Order of a list of jobs, by creation.',
  values: {
    NEWEST_FIRST: { value: 'DESC', description: 'The newest job first.' },
    OLDEST_FIRST: { value: 'ASC', description: 'The oldest job first.' },
  } as const,
});
