import type { JobType } from '../../jobs/types/job-type.ts';
import { builder } from '../builder.ts';

export const JobTypeType = builder.objectRef<JobType>('JobType').implement({
  description: 'A kind of job that can be created.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'The `type` to give to createJob.' }),
    description: t.exposeString('description', { nullable: false, description: 'What it does, for people.' }),
    builtIn: t.boolean({
      nullable: false,
      description: 'Whether a handler of the server itself takes it, where a built-in worker runs: it has what the type needs, and BUILT_IN_TYPES does not leave the type to others.',
      resolve: ({ name }, _args, { jobs }) => jobs.builtIns.types.has(name),
    }),
    liveWorkers: t.int({
      nullable: false,
      description: "Workers alive that take jobs of this type in the caller's workspace, built-in ones included. Known within five seconds.",
      resolve: ({ name }, _args, { jobs, viewer }) => (viewer === null ? 0 : jobs.workers.countLive(viewer.workspaceId, name)),
    }),
    pending: t.int({
      nullable: false,
      description: "Jobs of this type that wait in the caller's workspace. For keys.",
      authScopes: { key: true },
      resolve: ({ name }, _args, { loaders, viewer }) => (viewer === null ? 0 : loaders.pending.load({ workspaceId: viewer.workspaceId, type: name })),
    }),
    paused: t.boolean({
      nullable: false,
      description: 'Whether its jobs wait, in every workspace. Known within five seconds.',
      resolve: ({ name }, _args, { jobs }) => jobs.isTypePaused(name),
    }),
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
    outputSchema: t.field({
      type: 'JSONObject',
      nullable: true,
      description: 'JSON Schema of the output, where the type declares one. For clients: outputs are not held against it.',
      resolve: ({ outputSchema }) => outputSchema ?? null,
    }),
  }),
});
