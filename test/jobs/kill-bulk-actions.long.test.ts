import { expect, test } from 'vitest';
import { checkLedger } from '../../src/jobs/read/ledger-check.ts';
import { type ActionFragment, ReadBulkActionDocument, StartBulkActionDocument, type StartBulkActionInput } from '../graphql/generated/graphql.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type Installation, prepareInstallation, type ReadyProcess } from '../support/process.ts';

/** Of each kind. */
const jobs = 6_000;

const createJobs = 'mutation ($jobs: [CreateJobInput!]!) { createJobs(input: { jobs: $jobs }) { __typename } }';

async function create(api: ReadyProcess, { adminKey }: Installation, tag: string): Promise<void> {
  const one = { type: 'comments', input: { sourceUrl: 'https://example.com/a' }, tags: [tag] };
  for (let made = 0; made < jobs; made += 1_000) {
    const response = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${adminKey}` },
      body: JSON.stringify({ query: createJobs, variables: { jobs: Array.from({ length: 1_000 }, () => one) } }),
    });
    expect(await response.json()).toEqual({ data: { createJobs: { __typename: 'CreateJobsPayload' } } });
  }
}

function isAction(node: object): node is ActionFragment {
  return 'seen' in node;
}

test('three processes carry out an action of each kind, one of them is killed in the middle, and every job is acted on once', async () => {
  const installation = await prepareInstallation({ MAX_QUEUE_LENGTH: '1000000', INITIAL_CREDITS: '1000000', RATE_LIMIT: '0' });
  const { adminKey, query } = installation;
  const [api, ...others] = await Promise.all([installation.start('api'), installation.start('api'), installation.start('api')]);
  const start = async ({ url }: ReadyProcess, input: StartBulkActionInput): Promise<ActionFragment> => {
    const { startBulkAction: result } = await ask(url, adminKey, StartBulkActionDocument, { input });
    if (result == null || !('bulkAction' in result)) throw new Error(`it was refused: ${JSON.stringify(result)}`);
    return result.bulkAction;
  };
  const read = async ({ url }: ReadyProcess, id: string): Promise<ActionFragment> => {
    const { node } = await ask(url, adminKey, ReadBulkActionDocument, { id });
    if (node == null || !isAction(node)) throw new Error('there is no such action');
    return node;
  };
  const untilEnded = (id: string) =>
    eventually(async () => {
      const action = await read(survivor, id);
      expect(action.status).toBe('COMPLETED');
      return action;
    }, 60_000);
  const [survivor = api, other = api] = others;

  for (const tag of ['cancel', 'retry', 'delete']) await create(api, installation, tag);
  for (const tag of ['retry', 'delete']) await untilEnded((await start(other, { kind: 'CANCEL', filter: { tags: [tag] } })).id);
  const ledger = await query('SELECT * FROM credit_transaction ORDER BY id');

  // Each wakes the process that it is sent to, and that one is killed while all three are under way.
  const begun = [
    await start(api, { kind: 'CANCEL', filter: { tags: ['cancel'] } }),
    await start(api, { kind: 'RETRY', filter: { tags: ['retry'] } }),
    await start(api, { kind: 'DELETE', filter: { tags: ['delete'] } }),
  ];
  await eventually(async () => {
    for (const { id } of begun) expect((await read(survivor, id)).seen).toBeGreaterThan(0);
  });
  api.kill('SIGKILL');
  await api.ended;
  const atDeath = await Promise.all(begun.map(({ id }) => read(survivor, id)));
  expect(atDeath.map(({ status }) => status)).toContain('RUNNING');

  for (const { id } of begun) {
    expect(await untilEnded(id)).toMatchObject({ total: { value: jobs, exact: true }, seen: jobs, done: jobs, refusals: [] });
  }
  const count = async (sql: string) => (await query<{ count: number }>(`SELECT count(*)::int AS count FROM ${sql}`))[0]?.count;
  expect(await count(`job WHERE tags = '{cancel}' AND status = 'CANCELLED'`)).toBe(jobs);
  expect(await count(`job_change JOIN job ON job.id = job_change.job_id WHERE tags = '{cancel}' AND job_change.status = 'CANCELLED'`)).toBe(jobs);
  expect(await count(`job WHERE tags = '{retry}' AND retry_of_id IS NOT NULL`)).toBe(jobs);
  expect(await count(`(SELECT DISTINCT retry_of_id FROM job WHERE retry_of_id IS NOT NULL) AS retried`)).toBe(jobs);
  expect(await count(`job WHERE tags = '{delete}'`)).toBe(0);
  expect(await count(`job_tag WHERE tag = 'delete'`)).toBe(0);
  // One refund for each that was cancelled, and one charge for each retry.
  expect(await count('credit_transaction')).toBe(ledger.length + 2 * jobs);
  expect((await checkLedger({ query })).faults).toEqual([]);
}, 180_000);
