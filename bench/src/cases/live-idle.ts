import { setTimeout as delay } from 'node:timers/promises';
import { defaultWorkspace, empty, fill, type Installation, settle } from '../installation.ts';
import { jobProgressQuery } from '../live/contestants.ts';
import { Crowds } from '../live/crowds.ts';
import { none, type Sample } from '../measure.ts';
import { residentBytes } from '../memory.ts';
import { type Server, startLonghaul, startRaw } from '../servers.ts';
import { Stops } from '../stops.ts';
import type { Case } from './case.ts';

const watchers = 10_000;

/** More than one, so that none needs more sockets than most systems allow a process. */
const processes = 2;

/** How long a server may settle, before and after the watchers connect: V8 frees memory when idle. */
const restSeconds = 20;

interface Memory {
  /** Memory of the server before anyone connects, in bytes. */
  before: number;
  after: number;
}

/** Ten thousand idle jobs, each watched on its own socket. */
export const liveIdle: Case = async (installation, stops) => {
  const migration = new Stops();
  stops.push(() => migration.run());
  await startLonghaul(installation, migration);
  await migration.run();
  await empty(installation);
  await fill(installation, { workspaceId: await defaultWorkspace(installation), type: 'analysis', jobs: watchers });
  await settle(installation);
  const { rows } = await installation.admin.query<{ id: string }>('SELECT id FROM job');
  const variables = rows.map(({ id }) => ({ id: `job_${id}` }));

  const once = (start: (stops: Stops) => Promise<Server>) => {
    let memory: Promise<Memory> | null = null;
    return () => (memory ??= idle(installation, start, variables, stops));
  };
  const longhaul = once((own) => startLonghaul(installation, own));
  const raw = once((own) => startRaw(own));
  const side = (name: string, memory: () => Promise<Memory>, of: (memory: Memory) => number) => ({
    name,
    round: async (): Promise<Sample> => ({ value: of(await memory()), count: watchers, cpu: null, postgresCpu: null }),
  });
  return [
    {
      title: `resident memory of an idle watcher, of ${watchers.toLocaleString('en')}`,
      unit: 'KiB each',
      aim: { text: '≤ 25 KiB', reached: (_ratio, first) => first <= 25 },
      sides: [side('Longhaul', longhaul, each), side('raw ws', raw, each)],
    },
    {
      title: 'the whole process with them',
      unit: 'MiB',
      aim: none,
      sides: [side('Longhaul', longhaul, all), side('raw ws', raw, all)],
    },
  ];
};

function each({ before, after }: Memory): number {
  return (after - before) / watchers / 1_024;
}

function all({ after }: Memory): number {
  return after / 1_024 / 1_024;
}

/** Measures a fresh server once, because memory hardly differs from run to run. */
async function idle(
  { key }: Installation,
  start: (stops: Stops) => Promise<Server>,
  variables: { id: string }[],
  stops: Stops,
): Promise<Memory> {
  const own = new Stops();
  stops.push(() => own.run());
  try {
    const server = await start(own);
    await delay(restSeconds * 1_000);
    const before = await residentBytes(server.pid);
    await Crowds.open(server, key, { query: jobProgressQuery, variables, snapshot: true }, processes, own);
    await delay(restSeconds * 1_000);
    return { before, after: await residentBytes(server.pid) };
  } finally {
    await own.run();
  }
}
