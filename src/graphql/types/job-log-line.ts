import type { JobLogLine, LogLevel } from '../../jobs/logs/line.ts';
import { builder } from '../builder.ts';

export const LogLevelType = builder.enumType('LogLevel', {
  description: 'How severe a line is, from the least to the most.',
  values: {
    DEBUG: { description: 'For whoever works on the worker.' },
    INFO: { description: 'What happens.' },
    WARN: { description: 'It goes on, but not as it should.' },
    ERROR: { description: 'Something failed.' },
  } satisfies Record<LogLevel, { description: string }>,
});

export const JobLogLineType = builder.objectRef<JobLogLine>('JobLogLine').implement({
  description: "One line of a job's log.",
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { nullable: false, description: 'From 1, without gaps, along the job: resume from it.' }),
    attempt: t.exposeInt('attempt', { nullable: false, description: 'Number of the attempt that wrote it.' }),
    at: t.expose('at', { type: 'DateTime', nullable: false, description: 'As its worker gave it; else when it was written.' }),
    level: t.expose('level', { type: LogLevelType, nullable: false, description: 'How severe it is.' }),
    message: t.exposeString('message', { nullable: false, description: 'At most 8,192 characters: what was longer is cut, and says so.' }),
    fields: t.expose('fields', { type: 'JSONObject', nullable: true, description: 'What belongs to it, for programs; null if nothing was given.' }),
  }),
});
