import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { Longhaul } from './longhaul.ts';
import { startReceiver } from './receiver.ts';

/**
 * Runs jobs over GraphQL through everything that a database stores and returns, and expects the same as from an ordinary
 * one: timestamps, texts with backslashes and quotes, arrays, numbers, the ledger, a webhook. Needs OUTBOUND_ALLOW=127.0.0.1.
 */
export async function expectWholeLife({ graphql }: Longhaul): Promise<void> {
  const run = async (query: string, variables: object) => {
    const answer = await graphql(query, variables);
    expect(answer).toMatchObject({ status: 200, errors: [] });
    return JSON.parse(JSON.stringify(answer.data));
  };
  const receiver = await startReceiver();
  const text = String.raw`a \ backslash, \n, 'quotes', "more", {braces}, NULL, ü`;
  const runAt = '2031-02-03T04:05:06.789Z';
  const fields = 'id uuid input tags runAt createdAt updatedAt startedAt finishedAt status output progress { percentage message }';

  const [later, now] = await Promise.all(
    [{ runAt }, { webhookUrl: receiver.url, priority: 3 }].map(async (more) => {
      const input = { type: 'analysis', input: { text, number: 0.1 }, tags: [text, 'NULL', 'zwei'], ...more };
      const made = await run(`mutation($input: CreateJobInput!) { createJob(input: $input) { ... on CreateJobPayload { job { ${fields} } } } }`, { input });
      return made.createJob.job;
    }),
  );
  expect(later).toMatchObject({ runAt, input: { text, number: 0.1 }, status: 'PENDING' });
  expect([...later.tags].toSorted()).toEqual([text, 'NULL', 'zwei'].toSorted());

  const claimed = await run(
    'mutation($input: ClaimJobsInput!) { claimJobs(input: $input) { ... on ClaimJobsPayload { leases { token job { uuid } } } } }',
    { input: { types: ['analysis'], limit: 10, workerId: text } },
  );
  expect(claimed.claimJobs.leases).toMatchObject([{ job: { uuid: now.uuid } }]);
  const { token } = claimed.claimJobs.leases[0];
  const reported = await run(
    'mutation($input: ReportProgressInput!) { reportProgress(input: $input) { ... on ReportProgressPayload { expiresAt } } }',
    { input: { token, percentage: 33.3, message: text } },
  );
  const left = Date.parse(reported.reportProgress.expiresAt) - Date.now();
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(24 * 3_600_000);
  const job = 'query($id: ID!) { job(id: $id) { uuid status startedAt createdAt finishedAt output progress { percentage message } } }';
  await eventually(async () => {
    expect(await run(job, { id: now.id })).toMatchObject({ job: { status: 'RUNNING', progress: { percentage: 33.3, message: text } } });
  });
  await run('mutation($input: CompleteJobInput!) { completeJob(input: $input) { ... on CompleteJobPayload { job { uuid } } } }', {
    input: { token, output: { text } },
  });
  const ended = (await run(job, { id: now.id })).job;
  expect(ended).toMatchObject({ status: 'COMPLETED', output: { text } });
  for (const instant of [ended.createdAt, ended.startedAt, ended.finishedAt]) {
    expect(Math.abs(Date.parse(instant) - Date.now())).toBeLessThan(60_000);
  }

  const listed = await run('query($filter: JobFilter) { jobs(filter: $filter) { totalCount edges { node { uuid } } } }', {
    filter: { tags: [text], createdAfter: new Date(Date.now() - 60_000).toISOString() },
  });
  const newestFirst = [now.uuid, later.uuid].toSorted().toReversed();
  expect(listed.jobs).toEqual({ totalCount: 2, edges: newestFirst.map((uuid) => ({ node: { uuid } })) });
  await run('mutation($input: CancelJobInput!) { cancelJob(input: $input) { __typename } }', { input: { id: later.id } });
  await eventually(() => expect(receiver.received).toHaveLength(1));
}
