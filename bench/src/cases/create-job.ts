import { randomUUID } from 'node:crypto';
import { empty, type Installation, settle } from '../installation.ts';
import type { Load } from '../load.ts';
import { atLeast, type Sample } from '../measure.ts';
import { loadRound, type Server, startLonghaul, startMercurius } from '../servers.ts';
import type { Case } from './case.ts';

const selected = '{ job { id status createdAt } }';
const longhaulQuery = `mutation Create($input: CreateJobInput!) {
  createJob(input: $input) { __typename ... on CreateJobPayload ${selected} }
}`;
const mercuriusQuery = `mutation Create($input: CreateJobInput!) { createJob(input: $input) ${selected} }`;

/**
 * Longhaul charges the ledger, stores the idempotency key and wakes workers. The other side only inserts the same row into
 * the same table.
 */
export const createJob: Case = async (installation, stops) => {
  const longhaul = await startLonghaul(installation, stops);
  const mercurius = await startMercurius(installation, stops);
  return [
    {
      title: 'createJob',
      unit: 'jobs/s',
      aim: atLeast(0.8),
      sides: [
        { name: 'Longhaul', round: (seconds) => round(installation, longhaul, loadOf(longhaulQuery), seconds, ledger) },
        { name: 'plain INSERT', round: (seconds) => round(installation, mercurius, loadOf(mercuriusQuery), seconds, 'job') },
      ],
    },
  ];
};

/** Longhaul's jobs that have a charge and an idempotency key. */
const ledger = `job JOIN credit_transaction ON job_id = job.id AND amount = -1 JOIN idempotency_key USING (job_id)`;

async function round(
  installation: Installation,
  server: Server,
  load: Load,
  seconds: number,
  written: string,
): Promise<Sample> {
  await empty(installation);
  await settle(installation);
  const sample = await loadRound(installation, server, load, { seconds });
  const { rows } = await installation.admin.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${written}`);
  if (rows[0]?.count !== sample.count) throw new Error(`${sample.count} answers, ${rows[0]?.count} jobs`);
  return sample;
}

function loadOf(query: string): Load {
  return {
    body: () =>
      JSON.stringify({
        query,
        variables: {
          input: {
            type: 'analysis',
            input: { sourceUrl: 'https://media.example.com/videos/1.mp4', language: 'en' },
            idempotencyKey: randomUUID(),
          },
        },
      }),
    check: (data) => {
      const { createJob: result }: { createJob?: { job?: { status: string } } } = Object(data);
      if (result?.job?.status !== 'PENDING') throw new Error(`not created: ${JSON.stringify(data)}`);
    },
  };
}
