import type { Job } from '../../jobs/model/job.ts';
import type { JobFilter } from '../../jobs/read/list.ts';
import { unauthenticated } from '../../workspaces/authenticate.ts';
import { visible } from '../../workspaces/viewer.ts';
import { builder } from '../builder.ts';
import { type Connection, countCost, pageCost, readPage } from '../connection.ts';
import { parseId } from '../global-id.ts';
import { JobFilterInput, JobOrderType } from '../types/job-filter.ts';
import { JobTypeType } from '../types/job-type.ts';
import { JobType } from '../types/job.ts';
import { encodeUpdateCursor } from '../update-cursor.ts';
import { findVisibleJob } from './visible-job.ts';

/** A page of jobs, and what it takes to count the whole list. */
type JobPage = Connection<Job> & { workspaceId: string; filter: JobFilter };

const JobConnection = builder.connectionObject(
  {
    type: JobType,
    name: 'JobConnection',
    description: 'A page of jobs.',
    fields: (t) => ({
      totalCount: t.int({
        nullable: false,
        description: 'Jobs that the filter leaves, in all. Counted only when selected.',
        complexity: countCost,
        resolve: (page, _args, { jobs }) => {
          const { workspaceId, filter } = counted(page);
          return jobs.count(workspaceId, filter);
        },
      }),
    }),
  },
  { name: 'JobEdge', description: 'A job and its place in the list.' },
);

builder.queryFields((t) => ({
  job: t.withAuth({ anyOf: ['READ'] }).field({
    type: JobType,
    nullable: true,
    description: 'One job; null where the id names nothing that the caller may see, whatever its form.',
    args: { id: t.arg.id({ required: true, description: "The job's global id or plain UUID." }) },
    resolve: (_root, { id }, context) => {
      const uuid = parseId('Job', id);
      return uuid === null ? null : findVisibleJob(context, uuid);
    },
  }),
  jobs: t.connection(
    {
      type: JobType,
      authScopes: { anyOf: ['READ'] },
      complexity: pageCost,
      nullable: false,
      description: 'Keyset pagination. first and last: 1 to 100, 20 where neither is given.',
      args: {
        filter: t.arg({ type: JobFilterInput, description: 'Which jobs; all where not given.' }),
        order: t.arg({ type: JobOrderType, defaultValue: 'DESC', description: 'By creation.' }),
      },
      resolve: async (_root, { filter, order, ...args }, { jobs, cursors, viewer }): Promise<JobPage> => {
        // `t.withAuth` would say that there is a viewer, but does not go together with a connection of our own.
        if (viewer === null) throw unauthenticated();
        const { workspaceId } = viewer;
        const page = readPage(cursors, 'jobs', args, order ?? 'DESC');
        const seen = visible(viewer, filter ?? {});
        const found = await jobs.list(workspaceId, seen, page.window);
        return { ...page.toConnection(found), workspaceId, filter: seen };
      },
    },
    JobConnection,
  ),
  jobUpdatesCursor: t.withAuth({ anyOf: ['READ'] }).field({
    type: 'String',
    nullable: false,
    description:
      'Where the changes of the workspace are now: ask for it, then read what there is, then give it to jobUpdates as ' +
      '`after`, and nothing falls in between. Good for seven days.',
    resolve: async (_root, _args, { jobs, cursors, viewer }) =>
      encodeUpdateCursor(cursors, viewer.workspaceId, { from: await jobs.presentMoment() }),
  }),
  jobTypes: t.withAuth({ anyOf: ['READ'] }).field({
    type: [JobTypeType],
    nullable: false,
    description: 'The kinds of job that can be created.',
    resolve: (_root, _args, { jobs }) => jobs.types.all(),
  }),
}));

/** The connection that `jobs` resolved to: Pothos hands it on unchanged, without saying so in its type. */
function counted(page: object): JobPage {
  if (isJobPage(page)) return page;
  throw new Error('a page of jobs came without its filter');
}

function isJobPage(page: object): page is JobPage {
  return 'workspaceId' in page && 'filter' in page;
}
