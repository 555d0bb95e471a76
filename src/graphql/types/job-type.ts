import type { JobType } from '../../jobs/types/job-type.ts';
import { builder } from '../builder.ts';

export const JobTypeType = builder.objectRef<JobType>('JobType').implement({
  description: 'A kind of job that can be created.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'The `type` to give to createJob.' }),
    description: t.exposeString('description', { nullable: false, description: 'What it does, for people.' }),
    credits: t.exposeInt('credits', { nullable: false, description: 'What one job costs.' }),
    maxAttempts: t.exposeInt('maxAttempts', {
      nullable: false,
      description: 'Default number of failed attempts after which a job is FAILED.',
    }),
    timeoutSeconds: t.exposeInt('timeoutSeconds', {
      nullable: false,
      description: 'Seconds that one attempt may take.',
    }),
    inputSchema: t.expose('inputSchema', {
      type: 'JSONObject',
      nullable: false,
      description: 'JSON Schema of the input, draft 2020-12.',
    }),
  }),
});
