import type { GraphQLResolveInfo } from 'graphql';
import { LonghaulError } from '../../errors.ts';
import type { Job } from '../../jobs/model/job.ts';
import type { JobFilter } from '../../jobs/read/filter.ts';
import type { Counted } from '../../jobs/read/list.ts';
import { unauthenticated } from '../../workspaces/authenticate.ts';
import { visible } from '../../workspaces/viewer.ts';
import { builder } from '../builder.ts';
import { type Connection, countCost, type ListOrder, type PageArgs, readPage } from '../connection.ts';
import type { GraphQLContext } from '../context.ts';
import { selectedBelow } from '../selection.ts';
import { propertiesOf } from './job-properties.ts';
import { JobType } from './job.ts';

/** An exact count costs one request of the key's rate limit for each of this many milliseconds that it takes. */
const pricedMilliseconds = 10;

/** How far `count` counts: at most, and where nothing is said. */
const mostCounted = 100_000;
const usuallyCounted = 10_000;

export const JobCountType = builder.objectRef<{ value: number; exact: boolean }>('JobCount').implement({
  description: 'A number of jobs that was counted up to a limit.',
  fields: (t) => ({
    value: t.exposeInt('value', { nullable: false, description: 'How many there are, or the limit.' }),
    exact: t.exposeBoolean('exact', { nullable: false, description: 'False where there are more.' }),
  }),
});

/** A page of jobs, with what `totalCount` needs to count the whole list. */
type JobPage = Connection<Job> & { workspaceId: string; filter: JobFilter };

const idAlone: ReadonlySet<keyof Job> = new Set(['id']);

export const JobConnection = builder.connectionObject(
  {
    type: JobType,
    name: 'JobConnection',
    description: 'A page of jobs.',
    fields: (t) => ({
      totalCount: t.int({
        nullable: false,
        description:
          'Number of jobs that match the filter. Counted only if selected. What it takes grows with what it counts: each ' +
          `${pricedMilliseconds} ms of it count as one request. A workspace has one such count at a time; others wait.`,
        complexity: countCost,
        resolve: async (page, _args, context) => {
          const { workspaceId, filter } = counted(page);
          return pricedCount(context, await context.jobs.counting.exactly(workspaceId, filter));
        },
      }),
      count: t.field({
        type: JobCountType,
        nullable: false,
        description:
          'The same, but counted no further than upTo, which makes it cheap: for pages. One that has to look at many jobs to ' +
          'find few is priced like totalCount.',
        complexity: countCost,
        args: { upTo: t.arg.int({ description: `1 to ${mostCounted}. Default: ${usuallyCounted}.` }) },
        resolve: async (page, { upTo }, context) => {
          const most = upTo ?? usuallyCounted;
          if (most < 1 || most > mostCounted) throw new LonghaulError('BAD_USER_INPUT', `upTo must be from 1 to ${mostCounted}, got ${most}.`);
          const { workspaceId, filter } = counted(page);
          const count = await pricedCount(context, await context.jobs.counting.upTo(workspaceId, filter, most + 1));
          return { value: Math.min(count, most), exact: count <= most };
        },
      }),
    }),
  },
  { name: 'JobEdge', description: 'A job and its place in the list.' },
);

interface JobList {
  /** The list's name, which its cursors carry. */
  list: string;
  order: ListOrder;
  filter: JobFilter;
  args: PageArgs;
  info: GraphQLResolveInfo;
}

/** Reads a page of those jobs of the viewer's workspace that the viewer may see. */
export async function readJobs({ jobs, cursors, viewer }: GraphQLContext, { filter, ...asked }: JobList): Promise<JobPage> {
  // `t.withAuth` would make the viewer non-null, but it does not work with a custom connection object.
  if (viewer === null) throw unauthenticated();
  const { workspaceId } = viewer;
  const seen = visible(viewer, filter);
  const properties = propertiesOf(selectedBelow(asked.info, 'edges', 'node'));
  const page = await readPage({ cursors, ...asked }, (window, isProbe) => jobs.list(workspaceId, seen, window, isProbe ? idAlone : properties));
  return { ...page, workspaceId, filter: seen };
}

/** Takes what a count has cost from the viewer's rate limit. */
async function pricedCount({ rateLimiter, viewer }: GraphQLContext, { count, milliseconds }: Counted): Promise<number> {
  const price = Math.floor(milliseconds / pricedMilliseconds);
  if (viewer !== null && price > 0) await rateLimiter.spend(viewer, price);
  return count;
}

/** Narrows a connection to the page that `jobs` returned. Pothos passes it on unchanged, but its types do not say so. */
function counted(page: object): JobPage {
  if (isJobPage(page)) return page;
  throw new Error('a page of jobs has no filter');
}

function isJobPage(page: object): page is JobPage {
  return 'workspaceId' in page && 'filter' in page;
}
