import { InsufficientCreditsError, NotFoundError, QueueFullError, ValidationError } from '../../errors.ts';
import type { Schedule } from '../../jobs/schedules/schedule.ts';
import { builder } from '../builder.ts';
import { requireId, toGlobalId } from '../global-id.ts';
import { ScheduleOverlapType, ScheduleType } from '../types/schedule.ts';
import { jobPayload } from './job-payload.ts';
import { mutation } from './mutation.ts';

const CreateScheduleInput = builder.inputType('CreateScheduleInput', {
  description: 'The schedule to create.',
  fields: (t) => ({
    name: t.string({ required: true, description: '1 to 200 characters, unique in the workspace.' }),
    cron: t.string({ required: true, description: 'Five fields, or six with seconds first.' }),
    timeZone: t.string({ description: 'IANA name. Default: UTC.' }),
    type: t.string({ required: true, description: 'Name of a job type: see `jobTypes`.' }),
    input: t.field({ type: 'JSONObject', description: "Must match the type's inputSchema. Default: {}." }),
    tags: t.stringList({ description: 'At most 20, each of 1 to 100 characters.' }),
    priority: t.int({ description: 'Minutes of head start, -100 to 100. Default: 0.' }),
    overlap: t.field({ type: ScheduleOverlapType, description: 'What happens while its last job has not ended. Default: SKIP.' }),
    webhookUrl: t.string({ description: 'An http or https URL. An invalid one is a ValidationError.' }),
    maxAttempts: t.int({ description: "1 to 100. Default: the type's own." }),
    concurrencyKey: t.string({ description: 'As in CreateJobInput.' }),
    concurrencyLimit: t.int({ description: 'As in CreateJobInput.' }),
  }),
});

function schedulePayload(name: string, description: string) {
  return builder.objectRef<{ schedule: Schedule }>(name).implement({
    description,
    fields: (t) => ({ schedule: t.expose('schedule', { type: ScheduleType, nullable: false, description: 'As it is now.' }) }),
  });
}

mutation('createSchedule', {
  scopes: ['WRITE'],
  description: 'WRITE. Creates jobs again and again, from the next occurrence on. A workspace may have 10,000 schedules.',
  input: { type: CreateScheduleInput, description: 'The schedule.' },
  payload: schedulePayload('CreateSchedulePayload', 'The schedule was created.'),
  errors: [ValidationError],
  resolve: async (input, { jobs, viewer }) => ({ schedule: await jobs.schedules.create(viewer.workspaceId, input, viewer) }),
});

const UpdateScheduleInput = builder.inputType('UpdateScheduleInput', {
  description: 'What is left out stays as it was. Null puts back what a new schedule has where it is not given.',
  fields: (t) => ({
    id: t.id({ required: true, description: "The schedule's global id." }),
    name: t.string({ description: 'As in CreateScheduleInput, as are those below but for the last.' }),
    cron: t.string({ description: 'The next occurrence is then the next one from now on.' }),
    timeZone: t.string({ description: 'The same.' }),
    input: t.field({ type: 'JSONObject', description: "Must match the type's inputSchema." }),
    tags: t.stringList({ description: 'In place of those before.' }),
    priority: t.int({ description: 'Minutes of head start.' }),
    overlap: t.field({ type: ScheduleOverlapType, description: 'What happens while its last job has not ended.' }),
    webhookUrl: t.string({ description: 'An http or https URL.' }),
    maxAttempts: t.int({ description: '1 to 100.' }),
    concurrencyKey: t.string({ description: 'As in CreateJobInput.' }),
    concurrencyLimit: t.int({ description: 'As in CreateJobInput.' }),
    paused: t.boolean({ description: 'True lets it have no occurrences. False lets it go on from now: those that it missed are not made up for.' }),
  }),
});

mutation('updateSchedule', {
  scopes: ['WRITE'],
  description: 'WRITE. Changes, pauses or resumes a schedule. Jobs that it has created stay as they are.',
  input: { type: UpdateScheduleInput, description: 'The change.' },
  payload: schedulePayload('UpdateSchedulePayload', 'The schedule was changed.'),
  errors: [NotFoundError, ValidationError],
  resolve: async ({ id, ...update }, { jobs, viewer }) => ({
    schedule: await jobs.schedules.update(viewer.workspaceId, requireId('Schedule', id), update, viewer),
  }),
});

const DeleteScheduleInput = builder.inputType('DeleteScheduleInput', {
  description: 'The schedule to delete.',
  fields: (t) => ({ id: t.id({ required: true, description: "The schedule's global id." }) }),
});

const DeleteSchedulePayload = builder.objectRef<{ id: string }>('DeleteSchedulePayload').implement({
  description: 'The schedule is gone.',
  fields: (t) => ({ id: t.exposeID('id', { nullable: false, description: 'Its global id.' }) }),
});

mutation('deleteSchedule', {
  scopes: ['WRITE'],
  description: 'WRITE. Deletes a schedule. Its jobs stay.',
  input: { type: DeleteScheduleInput, description: 'The schedule.' },
  payload: DeleteSchedulePayload,
  errors: [NotFoundError, ValidationError],
  resolve: async (input, { jobs, viewer }) => {
    const id = requireId('Schedule', input.id);
    await jobs.schedules.delete(viewer.workspaceId, id, viewer);
    return { id: toGlobalId('Schedule', id) };
  },
});

const TriggerScheduleInput = builder.inputType('TriggerScheduleInput', {
  description: 'The schedule to trigger.',
  fields: (t) => ({ id: t.id({ required: true, description: "The schedule's global id." }) }),
});

mutation('triggerSchedule', {
  scopes: ['WRITE'],
  description:
    'WRITE. Creates a job now, as an occurrence would, and changes nothing about the next one. Also while the schedule is paused. ' +
    'Where overlap is SKIP and its last job has not ended: a ValidationError.',
  input: { type: TriggerScheduleInput, description: 'The schedule.' },
  payload: jobPayload('TriggerSchedulePayload', 'The job was created.'),
  errors: [NotFoundError, ValidationError, InsufficientCreditsError, QueueFullError],
  resolve: async ({ id }, { jobs, viewer }) => ({ job: await jobs.schedules.trigger(viewer.workspaceId, requireId('Schedule', id), viewer) }),
});
