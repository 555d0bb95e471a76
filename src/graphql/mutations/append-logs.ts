import { ValidationError } from '../../errors.ts';
import type { Appended } from '../../jobs/logs/append-queue.ts';
import { LeaseLostError } from '../../jobs/model/job-errors.ts';
import { workScope } from '../../workspaces/viewer.ts';
import { builder } from '../builder.ts';
import { LogLevelType } from '../types/job-log-line.ts';
import { mutation } from './mutation.ts';

const LogLineInput = builder.inputType('LogLineInput', {
  description: 'A line to append.',
  fields: (t) => ({
    at: t.field({ type: 'DateTime', description: 'Default: now.' }),
    level: t.field({ type: LogLevelType, description: 'Default: INFO.' }),
    message: t.string({ required: true, description: 'At most 8,192 characters: what is longer is cut, and says so.' }),
    fields: t.field({ type: 'JSONObject', description: 'What belongs to it, for programs. At most 16,384 bytes as JSON.' }),
  }),
});

const AppendLogsInput = builder.inputType('AppendLogsInput', {
  description: "Lines of one attempt. Of a job's lines the newest 10,000 are kept.",
  fields: (t) => ({
    token: t.string({ required: true, description: "The lease's." }),
    lines: t.field({ type: [LogLineInput], required: true, description: '1 to 1,000, oldest first.' }),
  }),
});

const AppendLogsPayload = builder.objectRef<Appended>('AppendLogsPayload').implement({
  description: 'The lines are written.',
  fields: (t) => ({
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: false, description: 'The new end of the lease.' }),
    sequence: t.exposeInt('sequence', { nullable: false, description: 'Of the last line.' }),
  }),
});

mutation('appendLogs', {
  scopes: ['WORK', 'WORK_ALL'],
  description: "WORK. Appends lines to the job's log and renews the lease. A call that got no answer may have written them.",
  input: { type: AppendLogsInput, description: 'The lines.' },
  payload: AppendLogsPayload,
  errors: [LeaseLostError, ValidationError],
  resolve: (input, { jobs, viewer }) => jobs.logs.append(workScope(viewer), input),
});
