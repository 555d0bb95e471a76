import type { Worker } from '../../jobs/workers/list.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';

export const WorkerType = builder.objectRef<Worker>('Worker');

builder.objectType(WorkerType, {
  description: 'A process that claims jobs. It is on the list within five seconds of its first claim, and for a week after its last sign of life.',
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ nullable: false, description: globalIdDescription, resolve: ({ id }) => toGlobalId('Worker', id) }),
    name: t.exposeString('name', { nullable: false, description: 'The workerId that it claims with. Processes of one workspace that share it are one worker.' }),
    types: t.exposeStringList('types', {
      nullable: false,
      description: 'Names of the job types that it claims: all that it named in the ten minutes before its last claim. Without those of claims that name the jobs.',
    }),
    running: t.int({ nullable: false, description: 'How many jobs it holds now.', resolve: (worker, _args, { loaders }) => loaders.held.load(worker) }),
    alive: t.exposeBoolean('alive', { nullable: false, description: 'Whether it has claimed, reported or waited for work within the last minute.' }),
    firstSeenAt: t.expose('firstSeenAt', { type: 'DateTime', nullable: false, description: 'When it was first heard.' }),
    lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime', nullable: false, description: 'When it was last heard, to within ten seconds.' }),
  }),
});

export const WorkerConnection = builder.connectionObject(
  { type: WorkerType, name: 'WorkerConnection', description: 'A page of workers.' },
  { name: 'WorkerEdge', description: 'A worker and its place in the list.' },
);
