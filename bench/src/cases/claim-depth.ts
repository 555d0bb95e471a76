import { randomUUID } from 'node:crypto';
import type { App } from '../../../src/server/app.ts';
import { claimRound, firstWorkspace } from '../../../src/jobs/claim/claim.ts';
import { createContext } from '../../../src/jobs/create-context.ts';
import { Pauses } from '../../../src/jobs/pausing/pauses.ts';
import { Workforce } from '../../../src/jobs/workers/workforce.ts';
import { domainRound, startDomain } from '../domain.ts';
import { empty, fill, type Installation, settle } from '../installation.ts';
import { type Comparison, median, type Sample } from '../measure.ts';
import type { Case } from './case.ts';

const shallow = { type: 'analysis', jobs: 100 };
const deep = { type: 'export', jobs: 100_000 };
type Queue = typeof shallow;

/** Takes `limit` jobs of a type; gives their ids. */
type Claim = (type: string, limit: number) => Promise<string[]>;

/**
 * The cost of a claim at the head of a long queue, compared with a short one. There are two workspaces. Their queues keep
 * their depth, because each claimed job is replaced by a new one at the end, outside the timed part.
 */
export const claimDepth: Case = async (installation, stops) => {
  const app = await startDomain(installation, stops);
  const workspaces = { [shallow.type]: randomUUID(), [deep.type]: randomUUID() };
  await empty(installation);
  for (const { type, jobs } of [shallow, deep]) {
    const workspaceId = workspaces[type] ?? '';
    await installation.admin.query(
      `INSERT INTO workspace (id, name, credits, webhook_secret) VALUES ($1, $2, 0, 'unused')`,
      [workspaceId, type],
    );
    await fill(installation, { workspaceId, type, jobs });
  }
  await settle(installation);

  const compare = (title: string, limit: number, claim: Claim): Comparison => ({
    title,
    unit: 'ms per claim',
    aim: { text: '< 5', reached: (ratio) => ratio < 5 },
    sides: [
      { name: '100,000 pending', round: (seconds) => round(installation, deep, limit, claim, seconds) },
      { name: '100 pending', round: (seconds) => round(installation, shallow, limit, claim, seconds) },
    ],
  });
  const own: Claim = (type, limit) => claimAs(app, workspaces[type] ?? null, type, limit);
  const all: Claim = (type, limit) => claimAs(app, null, type, limit);
  return [
    compare('claim of 1', 1, own),
    compare('claim of 10', 10, own),
    compare('claim of 10 in every workspace', 10, all),
    // Without the claimer, which gathers the claims of one tick and so costs both sides the same millisecond.
    compare('statement alone, claim of 1', 1, (type, limit) => statement(app, workspaces[type] ?? null, type, limit)),
    compare('statement alone, claim of 10', 10, (type, limit) => statement(app, workspaces[type] ?? null, type, limit)),
  ];
};

async function claimAs({ services }: App, scope: string | null, type: string, limit: number): Promise<string[]> {
  const started = await services.jobs.claim(scope, { types: [type], limit, workerId: 'bench' });
  return started.map(({ job }) => job.id);
}

async function statement({ services }: App, scope: string | null, type: string, limit: number): Promise<string[]> {
  const { database, bus, log, workMetrics } = services;
  const context = createContext({
    ...services,
    ...services.jobs,
    observer: workMetrics,
    workforce: new Workforce(database, log),
    pauses: new Pauses(database, bus, log),
    notifiesOfCancellation: () => true,
  });
  const { started } = await claimRound(context, {
    scope,
    types: [type],
    jobIds: null,
    workerIds: Array.from({ length: limit }, () => 'bench'),
    apiKeyId: null,
    after: firstWorkspace,
    workspaces: limit + 4,
    limits: false,
    without: [],
  });
  return started.map(({ job }) => job.id);
}

async function round(
  installation: Installation,
  { type }: Queue,
  limit: number,
  claim: Claim,
  seconds: number,
): Promise<Sample> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1_000;
  const sample = await domainRound(installation, async () => {
    while (performance.now() < end) {
      const start = performance.now();
      const taken = await claim(type, limit);
      times.push(performance.now() - start);
      if (taken.length !== limit) throw new Error(`${taken.length} jobs were claimed, not ${limit}`);
      await giveBack(installation, taken);
    }
    return times.length;
  });
  // CPU times would mislead, because they include replacing the jobs.
  return { ...sample, value: median(times), cpu: null, postgresCpu: null };
}

/** Replaces claimed jobs by new ones at the end of the queue. */
async function giveBack({ admin }: Installation, ids: string[]): Promise<void> {
  await admin.query(
    `WITH taken AS (DELETE FROM job WHERE id = ANY($1::uuid[]) RETURNING *),
     leases AS (DELETE FROM lease WHERE job_id = ANY($1::uuid[])),
     attempts AS (DELETE FROM job_attempt WHERE job_id = ANY($1::uuid[]))
     INSERT INTO job (id, workspace_id, type, input, tags, max_attempts, credits_charged)
     SELECT gen_random_uuid(), workspace_id, type, input, tags, max_attempts, credits_charged FROM taken`,
    [ids],
  );
}
