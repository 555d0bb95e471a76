import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createdAtOf } from '../../src/database/ids.ts';
import { eventually } from '../support/eventually.ts';
import { clockApart, hasFaketime } from '../support/faketime.ts';
import { prepareInstallation, type ReadyProcess, testFolder } from '../support/process.ts';
import { startReceiver } from '../support/receiver.ts';
import { openSource } from '../support/source.ts';

const minute = 60_000;
const leaseSeconds = 3;

interface Answer {
  data: Record<string, Record<string, unknown>>;
}

test.skipIf(!hasFaketime())('processes whose clocks are five minutes fast and slow agree on leases, due times, tokens, links and dates', async () => {
  const types = join(await testFolder(), 'types.json');
  await writeFile(types, JSON.stringify(['download', 'render'].map((name) => ({ name, credits: 1, maxAttempts: 3, leaseSeconds }))));
  const fleet = await prepareInstallation({ OUTBOUND_ALLOW: '127.0.0.1,localhost', JOB_TYPES: types });
  const [fast, slow] = await Promise.all([
    fleet.start('api', clockApart(5)),
    fleet.start('api', clockApart(-5)),
    fleet.start('worker', clockApart(5)),
    fleet.start('worker', clockApart(-5)),
  ]);
  // Their clocks are apart indeed: a log line has the process's time.
  for (const [{ stdout }, off] of [[fast, 5], [slow, -5]] as const) {
    const [, time] = /"time":(\d+)/.exec(stdout()) ?? [];
    expect(Math.abs(Number(time) - Date.now() - off * minute)).toBeLessThan(minute);
  }

  // Four downloads, so that each worker has some, are held beyond their leases, which are renewed.
  const receiver = await startReceiver();
  const sources = await Promise.all([1, 2, 3, 4].map(() => openSource(1)));
  const downloads = await Promise.all(
    sources.map(({ url }, n) => create(n % 2 === 0 ? fast : slow, { type: 'download', input: { sourceUrl: url }, webhookUrl: receiver.url })),
  );
  const answers = await Promise.all(sources.map((source) => source.answer()));
  for (const { uuid } of downloads) expect(Math.abs(createdAtOf(uuid).getTime() - Date.now())).toBeLessThan(minute);

  // Due in a moment, by the clock of the database: neither at once, nor in five minutes.
  for (const [making, claiming] of [[fast, slow], [slow, fast]] as const) {
    const runAt = new Date(Date.now() + 3_000);
    const { id } = await create(making, { type: 'render', runAt: runAt.toISOString() });
    expect(await claim(claiming, id, 0)).toEqual([]);
    const [lease] = await claim(claiming, id, 10);
    expect(Date.now()).toBeGreaterThanOrEqual(runAt.getTime());
    expect(lease?.job.id).toBe(id);
    // Nobody reports, and so the lease ends after its time: it is taken again.
    const began = performance.now();
    const [next] = await claim(making, id, 20);
    expect(next?.job.id).toBe(id);
    expect(performance.now() - began).toBeGreaterThan((leaseSeconds - 1) * 1_000);
  }

  // A token for a minute is good for a minute wherever it is shown.
  const [job] = downloads;
  for (const [making, reading] of [[fast, slow], [slow, fast]] as const) {
    const made = await ask(making, 'mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { ... on CreateAccessTokenPayload { token expiresAt } } }', {
      input: { jobId: job?.id, ttlSeconds: 60 },
    });
    const { token, expiresAt } = made.data['createAccessToken'] ?? {};
    expect(Math.abs(Date.parse(String(expiresAt)) - Date.now() - minute)).toBeLessThan(minute / 2);
    expect((await ask(reading, 'query ($id: ID!) { job(id: $id) { id } }', { id: job?.id }, String(token))).data['job']).toEqual({ id: job?.id });
  }

  for (const answer of answers) answer.end('x');
  for (const { id } of downloads) {
    await eventually(async () => {
      const query = 'query ($id: ID!) { job(id: $id) { status attempts { number } downloadUrl } }';
      const [one, other] = await Promise.all([ask(fast, query, { id }), ask(slow, query, { id })]);
      expect(one.data['job']).toMatchObject({ status: 'COMPLETED', attempts: [{ number: 1 }] });
      for (const { data } of [one, other]) {
        const url = new URL(String(data['job']?.['downloadUrl']));
        for (const api of [fast, slow]) expect((await fetch(api.url + url.pathname + url.search)).status).toBe(200);
      }
    });
  }
  // Receivers refuse webhooks whose time is five minutes off.
  await eventually(() => expect(receiver.received).toHaveLength(downloads.length));
  for (const { headers } of receiver.received) {
    expect(Math.abs(Number(headers['webhook-timestamp']) * 1_000 - Date.now())).toBeLessThan(minute);
  }

  async function ask({ url }: ReadyProcess, query: string, variables: object, key = fleet.adminKey): Promise<Answer> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query, variables }),
    });
    return JSON.parse(await response.text());
  }

  async function create(api: ReadyProcess, input: object): Promise<{ id: string; uuid: string }> {
    const { data } = await ask(api, 'mutation ($input: CreateJobInput!) { createJob(input: $input) { ... on CreateJobPayload { job { id uuid } } } }', { input });
    const { id, uuid } = Object(data['createJob']?.['job']);
    return { id: String(id), uuid: String(uuid) };
  }

  async function claim(api: ReadyProcess, id: string, waitSeconds: number): Promise<{ job: { id: string } }[]> {
    const input = { types: ['render'], workerId: 'remote', jobIds: [id], waitSeconds };
    const { data } = await ask(api, 'mutation ($input: ClaimJobsInput!) { claimJobs(input: $input) { ... on ClaimJobsPayload { leases { job { id } } } } }', { input });
    const { leases } = Object(data['claimJobs']);
    return leases;
  }
}, 90_000);
