import { LonghaulError } from '../errors.ts';
import { maySee } from '../workspaces/viewer.ts';
import { builder } from './builder.ts';
import { idsIn, JobUpdatesFilterInput } from './types/job-filter.ts';
import { mapEach, takeWhile } from './map-each.ts';
import { findReadableJob, holding } from './queries/visible-job.ts';
import { JobType } from './types/job.ts';
import { JobUpdateType } from './types/job-update.ts';
import { decodeUpdateCursor, encodeUpdateCursor } from './update-cursor.ts';

builder.subscriptionType({
  description: 'What can be watched, over WebSocket (graphql-transport-ws) and over server-sent events.',
  fields: (t) => ({
    jobProgress: t.withAuth({ anyOf: ['READ', 'WORK', 'WORK_ALL'] }).field({
      type: JobType,
      nullable: false,
      description:
        'The job as it is now, then after each change. Versions only grow. A slow watcher may miss versions in between, ' +
        'never the last. Ends after the version in which the job is COMPLETED, FAILED or CANCELLED. With afterVersion, ' +
        'only later versions are sent; if the job has ended and no later version exists, the stream just completes. ' +
        'Without READ: a job that a worker with this key holds, until an attempt of another worker begins.',
      args: {
        id: t.arg.id({ required: true, description: "The job's global id, UUID or vendorId." }),
        afterVersion: t.arg.int({ description: 'The last version seen. Default: none, so the current version is sent first.' }),
      },
      subscribe: async (_root, { id, afterVersion }, { jobs, viewer, signal }) => {
        const job = await findReadableJob({ jobs, viewer }, id);
        if (job === null) throw new LonghaulError('NOT_FOUND', 'Job not found. Check its id and the workspace of the key.');
        const versions = jobs.watch(job.id, afterVersion ?? 0, signal);
        const isOwn = viewer.scopes.has('READ') && maySee(viewer, job);
        return isOwn ? versions : takeWhile(versions, holding({ jobs, viewer }, job));
      },
      resolve: (job) => job,
    }),
    jobUpdates: t.withAuth({ anyOf: ['READ'] }).field({
      type: JobUpdateType,
      nullable: false,
      description:
        "The workspace's jobs as they change. From the cursor on, every change of status is sent at least once, even " +
        'across restarts. Progress is sent as it comes. Without a cursor, updates start now.',
      args: {
        filter: t.arg({ type: JobUpdatesFilterInput, description: 'Which jobs to watch. Default: all.' }),
        after: t.arg.string({ description: 'Cursor of the last update seen, at most seven days old. Only later updates are sent.' }),
      },
      subscribe: async (_root, { filter, after }, { jobs, cursors, viewer, signal, resumeAfter, onLive }) => {
        const { workspaceId } = viewer;
        const { ids, types, tags } = filter ?? {};
        const named = { ids: await idsIn(jobs, workspaceId, ids), types, tags };
        const cursor = resumeAfter ?? after;
        const watch = jobs.updates({
          workspaceId,
          filter: named,
          maySee: (job) => maySee(viewer, job),
          after: cursor == null ? null : decodeUpdateCursor(cursors, workspaceId, cursor),
          signal,
          ...(onLive && { onLive }),
        });
        // Accept the subscription only once the watch has started: everything that commits afterwards is sent.
        await watch.started;
        return mapEach(watch, (update) => ({
          ...update,
          cursor: encodeUpdateCursor(cursors, workspaceId, update.cursor),
        }));
      },
      resolve: (update) => update,
    }),
  }),
});
