import { deepStrictEqual } from 'node:assert';
import { defaultWorkspace, empty, fill, settle } from '../installation.ts';
import { atLeast } from '../measure.ts';
import { loadRound, startLonghaul, startMercurius } from '../servers.ts';
import type { Case } from './case.ts';
import { jobFields } from './fields.ts';

const size = 50;
const query = `query Jobs($first: Int!) {
  jobs(first: $first) { edges { cursor node { ${jobFields} } } pageInfo { hasNextPage endCursor } }
}`;

interface Page {
  edges: { cursor: string; node: object }[];
  pageInfo: { hasNextPage: boolean };
}

/** Reads the newest fifty of ten thousand jobs. */
export const jobsPage: Case = async (installation, stops) => {
  const longhaul = await startLonghaul(installation, stops);
  await empty(installation);
  const workspaceId = await defaultWorkspace(installation);
  await fill(installation, { workspaceId, type: 'analysis', jobs: 10_000, mix: true });
  await settle(installation);
  const mercurius = await startMercurius(installation, stops);

  /** Both servers must give the same answer, except for cursors, which Longhaul signs. */
  let nodes: object[] | null = null;
  const check = (data: unknown) => {
    const { jobs }: { jobs?: Page } = Object(data);
    if (jobs?.edges.length !== size || !jobs.pageInfo.hasNextPage) throw new Error('not the page that was asked for');
    const own = jobs.edges.map(({ node }) => node);
    nodes ??= own;
    deepStrictEqual(own, nodes);
  };
  const text = JSON.stringify({ query, variables: { first: size } });
  const load = { body: () => text, check };
  return [
    {
      title: `jobs(first: ${size})`,
      unit: 'requests/s',
      aim: atLeast(1),
      sides: [
        { name: 'Longhaul', round: (seconds) => loadRound(installation, longhaul, load, { seconds }) },
        { name: 'Mercurius', round: (seconds) => loadRound(installation, mercurius, load, { seconds }) },
      ],
    },
  ];
};
