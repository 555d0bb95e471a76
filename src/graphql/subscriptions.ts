import { LonghaulError, NotFoundError } from '../errors.ts';
import { pageSize } from '../jobs/logs/log-news.ts';
import { maySee } from '../workspaces/viewer.ts';
import { builder } from './builder.ts';
import { BulkActionType } from './types/bulk-action.ts';
import { requireId } from './global-id.ts';
import { idsIn, JobUpdatesFilterInput } from './types/job-filter.ts';
import { mapEach, takeWhile } from './map-each.ts';
import { findReadableJob, findVisibleJob, holding } from './queries/visible-job.ts';
import { JobLogLineType, LogLevelType } from './types/job-log-line.ts';
import { JobType } from './types/job.ts';
import { JobUpdateType } from './types/job-update.ts';
import { LostLeaseType } from './types/lost-lease.ts';
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
        if (job === null) throw notFound();
        const versions = jobs.watch(job.id, afterVersion ?? 0, signal);
        const isOwn = viewer.scopes.has('READ') && maySee(viewer, job);
        return isOwn ? versions : takeWhile(versions, holding({ jobs, viewer }, job));
      },
      resolve: (job) => job,
    }),
    jobLogs: t.withAuth({ anyOf: ['READ'] }).field({
      type: [JobLogLineType],
      nullable: false,
      description:
        "The job's lines as they are written, several in one event, after the sequence. Each line is sent once, in order. Ends " +
        'when the job has ended and its last line was sent. A watcher that reads too slowly is closed, to resume.',
      complexity: { field: 1, multiplier: pageSize },
      args: {
        id: t.arg.id({ required: true, description: "The job's global id, UUID or vendorId." }),
        afterSequence: t.arg.int({ description: 'Sequence of the last line seen. Default: none, so from the first that is kept.' }),
        level: t.arg({ type: LogLevelType, description: 'Only lines of this level and all above it. Default: all.' }),
      },
      subscribe: async (_root, { id, afterSequence, level }, { jobs, viewer, signal }) => {
        const uuid = await jobs.ids.uuidOf(viewer.workspaceId, id);
        const job = uuid === null ? null : await findVisibleJob({ jobs, viewer }, uuid);
        if (job === null) throw notFound();
        const { id: jobId, workspaceId } = job;
        const watch = jobs.logs.watch({ workspaceId, jobId, level: level ?? 'DEBUG', from: afterSequence ?? 0, signal });
        // Accept the subscription only once the watch has started: what comes afterwards is sent, what came before is read.
        await watch.started;
        return watch;
      },
      resolve: ({ lines }) => [...lines],
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
    leaseLost: t.withAuth({ $all: { anyOf: ['WORK', 'WORK_ALL'], key: true } }).field({
      type: LostLeaseType,
      nullable: false,
      description:
        'WORK. Leases that this key claimed for this worker and that ended other than by its own word. As it happens, best effort: ' +
        'whoever misses one learns it at its next report.',
      args: { workerId: t.arg.string({ required: true, description: 'As in claimJobs. Leases that it claimed before count, too, also those of a process before it.' }) },
      subscribe: (_root, { workerId }, { jobs, viewer }) => jobs.lostLeases({ apiKeyId: viewer.apiKeyId, workerId }),
      resolve: (lost) => lost,
    }),
    bulkActionProgress: t.withAuth({ $all: { anyOf: ['READ'], key: true } }).field({
      type: BulkActionType,
      nullable: false,
      description: 'READ. The action as it is now, then after its steps; a watcher may be spared some of them, never the last. Ends with the action.',
      args: { id: t.arg.id({ required: true, description: "The action's global id." }) },
      subscribe: async (_root, { id }, { jobs, viewer }) => {
        const action = await jobs.bulk.find(viewer.workspaceId, requireId('BulkAction', id));
        if (action === null) throw new NotFoundError('Bulk action');
        return jobs.bulk.watch(viewer.workspaceId, action.id);
      },
      resolve: (action) => action,
    }),
  }),
});

function notFound(): LonghaulError {
  return new LonghaulError('NOT_FOUND', 'Job not found. Check its id and the workspace of the key.');
}
