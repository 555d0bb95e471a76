import { unauthenticated } from '../../workspaces/authenticate.ts';
import { builder } from '../builder.ts';
import { pageCost } from '../connection.ts';
import { JobConnection, readJobs } from '../types/job-connection.ts';
import { idsIn, JobFilterInput, JobOrderType, scheduleIdsIn } from '../types/job-filter.ts';
import { JobTypeType } from '../types/job-type.ts';
import { JobType } from '../types/job.ts';
import { encodeUpdateCursor } from '../update-cursor.ts';
import { findReadableJob, findVisibleJob } from './visible-job.ts';

builder.queryFields((t) => ({
  job: t.withAuth({ anyOf: ['READ', 'WORK', 'WORK_ALL'] }).field({
    type: JobType,
    nullable: true,
    description:
      'One job; null if the caller may not see a job with this id, or the id is malformed. Without READ: a job that a ' +
      'worker with this key holds now.',
    args: { id: t.arg.id({ required: true, description: "The job's global id, UUID or vendorId." }) },
    resolve: (_root, { id }, context) => findReadableJob(context, id),
  }),
  revealInput: t.withAuth({ $all: { anyOf: ['READ'], key: true } }).field({
    type: 'JSONObject',
    nullable: true,
    description:
      'READ. The input with the fields that its type marks x-secret, which are hidden everywhere else but from workers. Each time it is in ' +
      'the audit. Null if the caller may not see a job with this id. An access token reveals nothing.',
    args: { jobId: t.arg.id({ required: true, description: "The job's global id, UUID or vendorId." }) },
    resolve: async (_root, { jobId }, { jobs, audit, viewer }) => {
      if (viewer === null) throw unauthenticated();
      const uuid = await jobs.ids.uuidOf(viewer.workspaceId, jobId);
      const job = uuid === null ? null : await findVisibleJob({ jobs, viewer }, uuid);
      if (job === null) return null;
      const { workspaceId, id, type, input } = job;
      // Nobody is shown what the audit does not know.
      await audit.write({ workspaceId, action: 'job.reveal', by: viewer, target: { type: 'Job', id }, details: { type } });
      return input;
    },
  }),
  jobs: t.connection(
    {
      type: JobType,
      authScopes: { anyOf: ['READ'] },
      complexity: pageCost,
      nullable: false,
      description: 'Keyset pagination. first and last: 1 to 100. Default: the first 20.',
      args: {
        filter: t.arg({ type: JobFilterInput, description: 'Which jobs. Default: all.' }),
        order: t.arg({ type: JobOrderType, defaultValue: 'DESC', description: 'Order by creation.' }),
      },
      resolve: async (_root, { filter, order, ...args }, context, info) => {
        if (context.viewer === null) throw unauthenticated();
        const ids = await idsIn(context.jobs, context.viewer.workspaceId, filter?.ids);
        return readJobs(context, { list: 'jobs', order: order ?? 'DESC', filter: { ...filter, ids, scheduleIds: scheduleIdsIn(filter?.scheduleIds) }, args, info });
      },
    },
    JobConnection,
  ),
  jobUpdatesCursor: t.withAuth({ anyOf: ['READ'] }).field({
    type: 'String',
    nullable: false,
    description:
      "The current position in the workspace's changes. To miss nothing, get this cursor first, then read the jobs, then " +
      'pass it to jobUpdates as `after`. Valid for seven days.',
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
