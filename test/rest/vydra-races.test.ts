import { afterAll, beforeAll, expect, test } from 'vitest';
import { LeaseLostError } from '../../src/jobs/model/job-errors.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { checkLedger } from '../../src/jobs/read/ledger-check.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { rest, type RestAnswer } from '../support/rest.ts';

let longhaul: Longhaul;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  const workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key({ dialect: 'VYDRA' });
});
afterAll(() => longhaul.stop());

const deletes = 50;

/** A job as a client of Vydra makes it. */
async function create(): Promise<Job> {
  // Refused by the sender, as every private address is: what counts here is what was noted.
  const json = { workflow: 'house-timelapse', webhookUrl: 'http://127.0.0.1:9/hook' };
  const { body } = await rest(`${longhaul.url}/api/v1/jobs`, { key, json });
  return tenant.read((Object(body) as { id: string }).id);
}

function cancel({ id }: Job): Promise<RestAnswer> {
  return rest(`${longhaul.url}/api/v1/jobs/${id}`, { method: 'DELETE', key });
}

/** What the completion came to. */
async function completed(token: string): Promise<boolean> {
  try {
    await tenant.complete(token, { videoUrl: 'https://cdn.example.com/out.mp4' });
    return true;
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
    return false;
  }
}

const interleavings = [
  { what: 'the completion is sent first', before: 0, ahead: 'none' },
  { what: 'the completion is sent among them', before: deletes / 2, ahead: 'none' },
  { what: 'the completion is sent last', before: deletes, ahead: 'none' },
  { what: 'the completion waits until one of them was answered', before: deletes, ahead: 'delete' },
  { what: 'they are sent once the completion was answered', before: 0, ahead: 'completion' },
] as const;

test.each(interleavings.flatMap((one) => [1, 2, 3].map((round) => ({ ...one, round }))))(
  'of 50 simultaneous DELETEs and a completion one wins: $what ($round)',
  async ({ before, ahead }) => {
    const balance = await tenant.balance();
    const job = await create();
    const { token } = await tenant.start(job);
    expect(await tenant.balance()).toBe(balance - 150);

    const earlier = Array.from({ length: before }, () => cancel(job));
    if (ahead === 'delete') await Promise.race(earlier);
    const completion = completed(token);
    if (ahead === 'completion') await completion;
    const answers = await Promise.all([...earlier, ...Array.from({ length: deletes - before }, () => cancel(job))]);

    const won = answers.filter(({ status }) => status === 200);
    const lost = answers.filter(({ status }) => status !== 200);
    const isCompleted = await completion;
    expect(won).toHaveLength(isCompleted ? 0 : 1);
    if (ahead !== 'none') expect(isCompleted).toBe(ahead === 'completion');
    for (const { body } of won) {
      expect(body).toEqual({
        success: true,
        message: 'Job cancelled',
        refund: { applied: true, creditsRefunded: 150 },
      });
    }
    const status = isCompleted ? 'completed' : 'cancelled';
    for (const answer of lost) {
      expect(answer).toMatchObject({ status: 400, body: { code: 'JOB_NOT_CANCELLABLE', details: { status } } });
    }

    expect((await rest(`${longhaul.url}/api/v1/jobs/${job.id}`, { key })).body).toMatchObject({ status });
    expect(await tenant.balance()).toBe(isCompleted ? balance - 150 : balance);
    const entries = (await tenant.ledger()).filter(({ jobId }) => jobId === job.id);
    expect(entries.map(({ kind, amount }) => ({ kind, amount }))).toEqual([
      { kind: 'CHARGE', amount: -150 },
      ...(isCompleted ? [] : [{ kind: 'REFUND', amount: 150 }]),
    ]);
    // Vydra's clients are told of completions and failures; a cancellation is their own doing.
    const noted = `FROM webhook_delivery WHERE workspace_id = $1 AND job_id = '${job.id}'`;
    expect(await tenant.count(noted)).toBe(isCompleted ? 1 : 0);
    expect(await tenant.count(`${noted} AND event = 'JOB_COMPLETED'`)).toBe(isCompleted ? 1 : 0);
    expect((await checkLedger(longhaul.services.database.reads)).faults).toEqual([]);
  },
);

test('of 50 simultaneous DELETEs of a job that waits one wins, while a worker reaches for it', async () => {
  const balance = await tenant.balance();
  const job = await create();
  const [started, ...answers] = await Promise.all([
    tenant.claim({ types: [job.type], jobIds: [job.id] }),
    ...Array.from({ length: deletes }, () => cancel(job)),
  ]);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const { token } of started) expect(await completed(token)).toBe(false);
  expect(await tenant.balance()).toBe(balance);
  expect(await tenant.count(`FROM lease WHERE workspace_id = $1 AND job_id = '${job.id}'`)).toBe(0);
  expect((await checkLedger(longhaul.services.database.reads)).faults).toEqual([]);
});
