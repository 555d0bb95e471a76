import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WorkMetrics } from '../../src/metrics/work-metrics.ts';
import { type Longhaul, sharedLonghaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

/** The value of each sample whose name and labels match. */
async function samples(pattern: RegExp): Promise<Map<string, number>> {
  const text = await (await fetch(`${longhaul.url}/metrics`)).text();
  return new Map(text.split('\n').filter((line) => pattern.test(line)).map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]));
}

test('what GraphQL answers as an error is counted by code and status, also where HTTP says 200', async () => {
  const key = await (await longhaul.workspace()).key({ scopes: ['READ', 'WRITE'] });
  const before = await samples(/^longhaul_graphql_errors_total/);
  const failed = '... on UserError { code }';
  const answers = [
    await longhaul.graphql(`mutation { cancelJob(input: { id: "none" }) { ${failed} } }`, {}, key),
    await longhaul.graphql(`mutation { a: cancelJob(input: { id: "none" }) { ${failed} } b: createJob(input: { type: "none", input: {} }) { ${failed} } }`, {}, key),
    await longhaul.graphql('{ none }', {}, key),
    await longhaul.graphql('{ jobs(first: 1000) { edges { cursor } } }', {}, key),
    await longhaul.graphql('{ jobTypes { name } }', {}, null),
    await longhaul.graphql('mutation { claimJobs(input: { types: ["export"], workerId: "w" }) { __typename } }', {}, key),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 400, 200, 401, 200]);
  const after = await samples(/^longhaul_graphql_errors_total/);
  const more = [...after].map(([name, count]) => [name.slice('longhaul_graphql_errors_total'.length), count - (before.get(name) ?? 0)] as const);
  expect(Object.fromEntries(more.filter(([, count]) => count > 0))).toEqual({
    '{code="NOT_FOUND",status="404"}': 2,
    '{code="VALIDATION_ERROR",status="400"}': 1,
    '{code="BAD_USER_INPUT",status="400"}': 2,
    '{code="UNAUTHENTICATED",status="401"}': 1,
    '{code="FORBIDDEN",status="403"}': 1,
  });
});

test('how long claims wait is a figure of its own, and not how long /graphql takes', async () => {
  const key = await (await longhaul.workspace()).key();
  const pattern = /^longhaul_(claim_seconds_count|http_request_seconds_count\{route="\/graphql")/;
  const before = await samples(pattern);
  const claim = 'claimJobs(input: { types: ["export"], workerId: "w" }) { __typename }';
  await longhaul.graphql(`mutation { ${claim} }`, {}, key);
  await longhaul.graphql(`mutation { ... on Mutation { ...Claims } } fragment Claims on Mutation { ${claim} }`, {}, key);
  await longhaul.graphql('{ jobTypes { name } }', {}, key);
  const more = async () => {
    const counted = [...(await samples(pattern))].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
    return Object.fromEntries(counted.filter(([, count]) => count > 0));
  };
  // A request is counted when its answer has been sent.
  await expect.poll(more).toEqual({
    longhaul_claim_seconds_count: 2,
    'longhaul_http_request_seconds_count{route="/graphql",method="POST",status="200"}': 1,
  });
});

test('METRICS_TOKEN guards the metrics, and nothing else opens them', async () => {
  const METRICS_TOKEN = 'm'.repeat(32);
  const guarded = await startLonghaul({ METRICS_TOKEN });
  try {
    const look = async (authorization?: string) =>
      (await fetch(`${guarded.url}/metrics`, { headers: authorization === undefined ? {} : { authorization } })).status;
    expect(await look()).toBe(401);
    expect(await look(`Bearer ${guarded.adminKey}`)).toBe(401);
    expect(await look(`Bearer ${METRICS_TOKEN}x`)).toBe(401);
    expect(await look(`Bearer ${METRICS_TOKEN}`)).toBe(200);
  } finally {
    await guarded.stop();
  }
});

test('types beyond a hundred share a label', async () => {
  const metrics = new WorkMetrics();
  for (let n = 0; n < 200; n += 1) metrics.started(`type ${n}`, 1);
  const registry = new Registry();
  for (const metric of metrics.all) registry.registerMetric(metric);
  const counts = [...(await registry.metrics()).matchAll(/^longhaul_job_wait_seconds_count\{type="(.*)"\} (\d+)$/gm)];
  expect(counts).toHaveLength(101);
  expect(counts.at(-1)?.slice(1)).toEqual(['other', '100']);
});
