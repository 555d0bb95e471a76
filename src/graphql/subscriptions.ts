import { LonghaulError } from '../errors.ts';
import { maySee } from '../workspaces/viewer.ts';
import { builder } from './builder.ts';
import { parseId } from './global-id.ts';
import { JobUpdatesFilterInput } from './types/job-filter.ts';
import { mapEach } from './map-each.ts';
import { JobType } from './types/job.ts';
import { JobUpdateType } from './types/job-update.ts';
import { decodeUpdateCursor, encodeUpdateCursor } from './update-cursor.ts';

/** Ids in one filter. */
const mostIds = 100;

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
      subscribe: async (_root, { id, afterVersion }, { jobs, viewer, signal }) => {
        const uuid = parseId('Job', id);
        const job = uuid === null ? null : await jobs.find(viewer.workspaceId, uuid);
        if (job === null || !maySee(viewer, job)) throw new LonghaulError('NOT_FOUND', 'Job not found. Check its id and the workspace of the key.');
        return jobs.watch(job.id, afterVersion ?? 0, signal);
      },
      resolve: (job) => job,
    }),
    jobUpdates: t.withAuth({ anyOf: ['READ'] }).field({
      type: JobUpdateType,
      nullable: false,
      description:
        "The workspace's jobs as they change. Every change of status is sent at least once from the cursor on, also " +
        'across restarts; progress in between is sent as it comes. Without a cursor, from now on.',
      args: {
        filter: t.arg({ type: JobUpdatesFilterInput, description: 'Whose updates; those of all jobs where not given.' }),
        after: t.arg.string({ description: 'Cursor of the last update seen: what follows it is sent, at most seven days old.' }),
      },
      subscribe: async (_root, { filter, after }, { jobs, cursors, viewer, signal, resumeAfter, onLive }) => {
        const { workspaceId } = viewer;
        const { ids, types, tags } = filter ?? {};
        if ((ids?.length ?? 0) > mostIds) {
          throw new LonghaulError('BAD_USER_INPUT', `filter.ids takes at most ${mostIds} ids, got ${ids?.length}.`);
        }
        // An id that can name nothing matches nothing.
        const named = { ids: ids?.flatMap((id) => parseId('Job', id) ?? []), types, tags };
        const cursor = resumeAfter ?? after;
        const watch = jobs.updates({
          workspaceId,
          filter: named,
          maySee: (job) => maySee(viewer, job),
          after: cursor == null ? null : decodeUpdateCursor(cursors, workspaceId, cursor),
          signal,
          ...(onLive && { onLive }),
        });
        // What commits once this has been accepted is sent.
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
