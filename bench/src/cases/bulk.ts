import { randomUUID } from 'node:crypto';
import type { App } from '../../../src/server/app.ts';
import { byNobody } from '../../../src/workspaces/audit/record.ts';
import { p99OfClaims, queueFor } from '../claim-times.ts';
import { domainRound, startDomain } from '../domain.ts';
import { empty, fill, type Installation, settle } from '../installation.ts';
import type { Sample } from '../measure.ts';
import type { Case } from './case.ts';

const jobs = 100_000;
const type = 'analysis';

/** Of single calls, in one round. */
const oneByOne = 5_000;

/** A bulk action that cancels 100,000 pending jobs: how fast it is, and what it does to another workspace's claims. */
export const bulk: Case = async (installation, stops) => {
  const app = await startDomain(installation, stops);
  const pending = async (count: number) => {
    await empty(installation);
    const workspaceId = randomUUID();
    await installation.admin.query(`INSERT INTO workspace (id, name, credits, webhook_secret) VALUES ($1, 'bulk', 0, 'unused')`, [workspaceId]);
    await fill(installation, { workspaceId, type, jobs: count });
    const claiming = await queueFor(installation, 'export', 20_000);
    await settle(installation);
    return { workspaceId, claiming };
  };
  return [
    {
      title: 'cancelling 100,000 pending jobs',
      unit: 'jobs/s',
      aim: { text: '≥ 1,667 (a minute)', reached: (_ratio, first) => first >= jobs / 60 },
      sides: [
        {
          name: 'bulk action',
          round: async () => {
            const { workspaceId } = await pending(jobs);
            return domainRound(installation, () => cancelAll(app, workspaceId));
          },
        },
        {
          name: 'cancelJob, 32 at a time',
          round: async () => {
            const { workspaceId } = await pending(oneByOne);
            return singly(installation, app, workspaceId);
          },
        },
      ],
    },
    {
      title: 'claims of another workspace',
      unit: 'ms p99',
      aim: { text: '–', reached: () => true },
      sides: [
        {
          name: 'during a bulk action',
          round: async () => {
            const { workspaceId, claiming } = await pending(jobs);
            let isOver = false;
            const action = cancelAll(app, workspaceId).then(() => (isOver = true));
            const sample = await p99OfClaims(app, claiming, 'export', () => !isOver);
            await action;
            return sample;
          },
        },
        {
          name: 'before',
          round: async (seconds) => {
            const { claiming } = await pending(jobs);
            const end = performance.now() + seconds * 1_000;
            return p99OfClaims(app, claiming, 'export', () => performance.now() < end);
          },
        },
      ],
    },
  ];
};

/** Resolves with how many it has cancelled. */
async function cancelAll({ services }: App, workspaceId: string): Promise<number> {
  const { bulk: actions } = services.jobs;
  const { id } = await actions.start(workspaceId, { kind: 'CANCEL', asked: {}, filter: {}, everything: true, by: byNobody });
  let done = 0;
  for await (const action of actions.watch(workspaceId, id)) ({ done } = action);
  if (done !== jobs) throw new Error(`${done} of ${jobs} jobs were cancelled`);
  return done;
}

async function singly(installation: Installation, { services }: App, workspaceId: string): Promise<Sample> {
  const { rows } = await installation.admin.query<{ id: string }>('SELECT id FROM job WHERE workspace_id = $1', [workspaceId]);
  const ids = rows.values();
  return domainRound(installation, async () => {
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        for (const { id } of ids) await services.jobs.cancel(workspaceId, id);
      }),
    );
    return rows.length;
  });
}
