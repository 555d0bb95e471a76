import { NotFoundError, ValidationError } from '../../errors.ts';
import type { BulkAction } from '../../jobs/bulk/bulk-action.ts';
import { IdempotencyConflictError } from '../../jobs/model/job-errors.ts';
import { builder } from '../builder.ts';
import { parseId, requireId } from '../global-id.ts';
import { BulkActionKindType, BulkActionType } from '../types/bulk-action.ts';
import { JobFilterInput } from '../types/job-filter.ts';
import { mutation } from './mutation.ts';

const StartBulkActionInput = builder.inputType('StartBulkActionInput', {
  description: 'What to do to which jobs.',
  fields: (t) => ({
    kind: t.field({ type: BulkActionKindType, required: true, description: 'What to do to each of them.' }),
    filter: t.field({
      type: JobFilterInput,
      description: 'Which jobs. An empty one is all jobs of the workspace: say so with everything. An id that names none of its jobs is a ValidationError.',
    }),
    everything: t.boolean({ description: 'All jobs of the workspace are meant. Required where the filter is empty.' }),
    reason: t.string({ description: 'For CANCEL: stored as cancelReason. At most 1,000 characters.' }),
    idempotencyKey: t.string({
      description: 'Requests with the same key and content within 24 hours are one action. At most 255 characters. Keys of jobs are others.',
    }),
  }),
});

const StartBulkActionPayload = builder.objectRef<{ bulkAction: BulkAction }>('StartBulkActionPayload').implement({
  description: 'The action was started, by this call or an earlier one with the same idempotency key.',
  fields: (t) => ({
    bulkAction: t.expose('bulkAction', { type: BulkActionType, nullable: false, description: 'Its current state. bulkActionProgress watches it.' }),
  }),
});

mutation('startBulkAction', {
  scopes: ['WRITE'],
  description: 'WRITE. Cancels, retries or deletes many jobs. The server carries it out in small steps. At most 10 of a workspace run at the same time.',
  input: { type: StartBulkActionInput, description: 'The action.' },
  payload: StartBulkActionPayload,
  errors: [ValidationError, IdempotencyConflictError],
  resolve: async ({ filter, ...request }, { jobs, viewer }) => {
    const { workspaceId } = viewer;
    const asked = filter ?? {};
    const uuids = asked.ids == null ? null : await Promise.all(asked.ids.map((id) => jobs.ids.uuidOf(workspaceId, id)));
    const schedules = asked.scheduleIds?.map((id) => parseId('Schedule', id));
    const named = { ...asked, ids: uuids, scheduleIds: schedules };
    return { bulkAction: await jobs.bulk.start(workspaceId, { ...request, asked, filter: named, by: viewer }) };
  },
});

const StopBulkActionInput = builder.inputType('StopBulkActionInput', {
  description: 'The action to stop.',
  fields: (t) => ({ id: t.id({ required: true, description: "The action's global id." }) }),
});

const StopBulkActionPayload = builder.objectRef<{ bulkAction: BulkAction }>('StopBulkActionPayload').implement({
  description: 'The action does no more.',
  fields: (t) => ({ bulkAction: t.expose('bulkAction', { type: BulkActionType, nullable: false, description: 'Its last state.' }) }),
});

mutation('stopBulkAction', {
  scopes: ['WRITE'],
  description: 'WRITE. Stops an action after the step that is being made. What was done stays done. One that has ended stays as it is.',
  input: { type: StopBulkActionInput, description: 'The action.' },
  payload: StopBulkActionPayload,
  errors: [NotFoundError, ValidationError],
  resolve: async ({ id }, { jobs, viewer }) => ({
    bulkAction: await jobs.bulk.stop(viewer.workspaceId, requireId('BulkAction', id), viewer),
  }),
});
