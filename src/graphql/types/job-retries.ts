import { builder } from '../builder.ts';
import { pageCost } from '../connection.ts';
import { JobConnection, readJobs } from './job-connection.ts';
import { JobType } from './job.ts';

// Apart from the other fields of Job, because a connection of jobs needs their type.
builder.objectField(JobType, 'retries', (t) =>
  t.connection(
    {
      type: JobType,
      nullable: false,
      description: 'The jobs that retry this one, oldest first: those that the caller may see.',
      complexity: pageCost,
      resolve: ({ id }, args, context, info) => readJobs(context, { list: `retries ${id}`, order: 'ASC', filter: { retryOf: id }, args, info }),
    },
    JobConnection,
  ),
);
