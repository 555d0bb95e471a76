import type { JobWarning } from '../../jobs/workers/warnings.ts';
import { builder } from '../builder.ts';

export const JobWarningType = builder.objectRef<JobWarning>('JobWarning').implement({
  description: 'What keeps a job waiting although it was created.',
  fields: (t) => ({
    code: t.exposeString('code', {
      nullable: false,
      description:
        'NO_WORKER: nobody who is alive takes jobs of this type. A new worker is noticed within five seconds, and one that is ' +
        'gone within 65. ENGINE_MISSING: the same, and built-in workers would take them if they had what the message names. TYPE_PAUSED: jobs of this type wait everywhere. WORKSPACE_PAUSED: all jobs of the workspace wait.',
    }),
    message: t.exposeString('message', { nullable: false, description: 'A sentence for people.' }),
  }),
});
