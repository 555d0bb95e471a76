import { LonghaulError } from '../errors.ts';
import { maySee } from '../workspaces/viewer.ts';
import { builder } from './builder.ts';
import { parseId } from './global-id.ts';
import { JobType } from './types/job.ts';

builder.subscriptionType({
  description: 'What can be watched, over WebSocket (graphql-transport-ws) and over server-sent events.',
  fields: (t) => ({
    jobProgress: t.withAuth({ anyOf: ['READ'] }).field({
      type: JobType,
      nullable: false,
      description:
        'The job itself, now and after changes, with versions that only grow (a slow watcher may be spared versions ' +
        'in between, never the last); ends after the version in which the job is COMPLETED, FAILED or CANCELLED. With ' +
        'afterVersion, versions up to it are left out; at or past the final one it only completes.',
      args: {
        id: t.arg.id({ required: true, description: "The job's global id or plain UUID." }),
        afterVersion: t.arg.int({ description: 'The last version seen; everything where not given.' }),
      },
      subscribe: async (_root, { id, afterVersion }, { jobs, feed, viewer, signal }) => {
        const uuid = parseId('Job', id);
        const job = uuid === null ? null : await jobs.find(viewer.workspaceId, uuid);
        if (job === null || !maySee(viewer, job)) throw new LonghaulError('NOT_FOUND', 'Job not found. Check its id and the workspace of the key.');
        return feed.watch(job.id, afterVersion ?? 0, signal);
      },
      resolve: (job) => job,
    }),
  }),
});
