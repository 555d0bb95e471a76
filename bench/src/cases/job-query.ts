import { deepStrictEqual } from 'node:assert';
import { defaultWorkspace, empty, fill, settle } from '../installation.ts';
import { atLeast } from '../measure.ts';
import { loadRound, startLonghaul, startMercurius } from '../servers.ts';
import type { Case } from './case.ts';
import { jobFields } from './fields.ts';

const jobs = 10_000;
const query = `query Job($id: ID!) { job(id: $id) { ${jobFields} } }`;

/** Reads ten thousand jobs by id, one after another. */
export const jobQuery: Case = async (installation, stops) => {
  const longhaul = await startLonghaul(installation, stops);
  const workspaceId = await defaultWorkspace(installation);
  await empty(installation);
  await fill(installation, { workspaceId, type: 'analysis', jobs, mix: true });
  await settle(installation);
  const { rows } = await installation.admin.query<{ id: string }>('SELECT id FROM job ORDER BY md5(id::text)');
  const bodies = rows.map(({ id }) => JSON.stringify({ query, variables: { id: `job_${id}` } }));
  const mercurius = await startMercurius(installation, stops);

  /** Both servers must give the same answer for every job that is checked. */
  const seen = new Map<string, object>();
  const check = (data: unknown) => {
    const { job }: { job?: { id?: string } | null } = Object(data);
    if (typeof job?.id !== 'string') throw new Error(`no job came: ${JSON.stringify(data)}`);
    deepStrictEqual(job, seen.get(job.id) ?? job);
    seen.set(job.id, job);
  };
  const load = () => {
    let next = 0;
    const body = () => {
      next += 1;
      return bodies[next % bodies.length] ?? '';
    };
    return { body, check };
  };
  return [
    {
      title: 'job(id)',
      unit: 'requests/s',
      aim: atLeast(1),
      sides: [
        { name: 'Longhaul', round: (seconds) => loadRound(installation, longhaul, load(), { seconds }) },
        { name: 'Mercurius', round: (seconds) => loadRound(installation, mercurius, load(), { seconds }) },
      ],
    },
  ];
};
