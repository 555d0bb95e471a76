import { afterAll, beforeAll, expect, test } from 'vitest';
import { toGlobalId } from '../../src/graphql/global-id.ts';
import { encodeUpdateCursor } from '../../src/graphql/update-cursor.ts';
import { type ChangeCursor, presentMoment } from '../../src/jobs/feed/changes.ts';
import { JobUpdatesDocument, type JobUpdatesSubscription, type JobUpdatesSubscriptionVariables } from '../graphql/generated/graphql.ts';
import { next, transports, type Watch, watchSocket } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { claim, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

type Updates = Watch<JobUpdatesSubscription>;

/** What happens from now on comes after it. */
async function cursorNow(workspaceId = workspace.id): Promise<string> {
  return encodeUpdateCursor(longhaul.services.cursors, workspaceId, await placeNow());
}

async function placeNow(): Promise<ChangeCursor> {
  return { from: await presentMoment(longhaul.services.database.hot) };
}

async function takeFrom(watch: Updates, count: number) {
  const all: JobUpdatesSubscription['jobUpdates'][] = [];
  while (all.length < count) all.push((await next(watch)).jobUpdates);
  return all;
}

/** Subscribes, takes so many updates and leaves. */
async function take(count: number, variables: JobUpdatesSubscriptionVariables, secret = key) {
  const watch = watchSocket(longhaul.url, secret, JobUpdatesDocument, variables);
  const all = await takeFrom(watch, count);
  await watch.return?.();
  return all;
}

async function refusalOf(variables: JobUpdatesSubscriptionVariables, secret = key) {
  const watch = watchSocket(longhaul.url, secret, JobUpdatesDocument, variables);
  try {
    const { value } = await watch.next();
    return value?.errors ?? [];
  } catch (errors) {
    return errors;
  }
}

async function nobodyWatches(): Promise<void> {
  await eventually(() => expect(longhaul.services.jobs.watched.workspaces).toBe(0));
}

test.each(transports)('over $over, updates come with cursors from which another watch resumes', async ({ watch }) => {
  const open = (after: string) => watch(longhaul.url, key, JobUpdatesDocument, { after });
  const first = open(await cursorNow());
  const job = await submit(longhaul, workspace.id);
  const token = await claim(longhaul, job);
  const [created] = await takeFrom(first, 1);
  await first.return?.();
  expect(created?.job).toMatchObject({ uuid: job.id, status: 'PENDING', version: 1 });

  const resumed = open(created?.cursor ?? '');
  const [running] = await takeFrom(resumed, 1);
  expect(running?.job).toMatchObject({ uuid: job.id, status: 'RUNNING', version: 2, output: null });
  await longhaul.graphql(
    `mutation { completeJob(input: { token: "${token}", output: [1] }) { __typename } }`,
    {},
    key,
  );
  const [completed] = await takeFrom(resumed, 1);
  expect(completed?.job).toMatchObject({ status: 'COMPLETED', version: 3, output: [1] });
  await resumed.return?.();
  await nobodyWatches();
});

test('a filter leaves jobs by id, type and tags, as a list does', async () => {
  const after = await cursorNow();
  const [red, both, other] = [
    await submit(longhaul, workspace.id, { tags: ['red'] }),
    await submit(longhaul, workspace.id, { tags: ['red', 'big'], type: 'fingerprint' }),
    await submit(longhaul, workspace.id),
  ];
  const end = await submit(longhaul, workspace.id, { type: 'export', input: {}, tags: ['red', 'big'] });
  // Each also lets the last one through, so that what it leaves out would have come before.
  const leaves = async (filter: JobUpdatesSubscriptionVariables['filter'], jobs: { id: string }[]) =>
    expect((await take(jobs.length, { filter, after })).map(({ job }) => job.uuid)).toEqual(jobs.map(({ id }) => id));
  await leaves({ ids: [toGlobalId('Job', red.id), other.id.toUpperCase(), 'nonsense', end.id] }, [red, other, end]);
  await leaves({ types: ['fingerprint', 'export'] }, [both, end]);
  await leaves({ tags: ['red'] }, [red, both, end]);
  await leaves({ tags: ['big', 'red'], types: ['export'] }, [end]);
  await leaves({ tags: [] }, [red, both, other, end]);
  await nobodyWatches();
});

test.each([
  { what: 'too many ids', filter: { ids: Array.from({ length: 101 }, () => 'x') } },
  { what: 'too many types', filter: { types: Array.from({ length: 101 }, () => 'x') } },
  { what: 'too many tags', filter: { tags: Array.from({ length: 21 }, () => 'x') } },
])('$what are refused', async ({ filter }) => {
  expect(await refusalOf({ filter })).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  await nobodyWatches();
});

test('a cursor is refused that is of another workspace or list, tampered with, too old, or of another database', async () => {
  const { cursors } = longhaul.services;
  const place = await placeNow();
  const cursor = await cursorNow();
  const day = 24 * 60 * 60 * 1_000;
  const aged = (days: number) =>
    encodeUpdateCursor(cursors, workspace.id, { from: { ...place.from, at: Date.now() - days * day } });
  const ahead = encodeUpdateCursor(cursors, workspace.id, { from: { ...place.from, snapshot: '9000000000:9000000000:' } });
  const other = await longhaul.workspace();

  const refusals: [string, RegExp][] = [
    [await cursorNow(other.id), /not a cursor of this workspace's updates/],
    [cursors.encode('jobs', other.id), /not a cursor/],
    [`${cursor.startsWith('W') ? 'X' : 'W'}${cursor.slice(1)}`, /not a cursor/],
    ['', /not a cursor/],
    [aged(7.01), /older than 7 days.*Read the `jobs` that matter, then subscribe without a cursor/],
    [ahead, /ahead of this database.*subscribe without a cursor/],
  ];
  for (const [after, message] of refusals) {
    expect(await refusalOf({ after })).toMatchObject([
      { message: expect.stringMatching(message), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  }
  await nobodyWatches();
  const job = await submit(longhaul, workspace.id);
  expect(await take(1, { after: aged(6.99) })).toMatchObject([{ job: { uuid: job.id } }]);
});

test('an access token is sent its own job or tag alone, whatever it filters', async () => {
  const after = await cursorNow();
  const [hidden, own] = [await submit(longhaul, workspace.id), await submit(longhaul, workspace.id, { tags: ['mine'] })];
  const end = await submit(longhaul, workspace.id, { tags: ['mine'] });
  await longhaul.graphql(`mutation { cancelJob(input: { id: "${own.id}" }) { __typename } }`, {}, key);
  const token = async (input: string) => {
    const { data } = await longhaul.graphql(
      `mutation { createAccessToken(input: { ${input} }) { ... on CreateAccessTokenPayload { token } } }`,
      {},
      key,
    );
    const payload = data?.['createAccessToken'];
    return payload !== null && typeof payload === 'object' && 'token' in payload ? String(payload.token) : '';
  };
  const seen = async (count: number, secret: string, filter: JobUpdatesSubscriptionVariables['filter'] = null) =>
    (await take(count, { after, filter }, secret)).map(({ job }) => [job.uuid, job.version]);

  expect(await seen(2, await token(`jobId: "${own.id}"`))).toEqual([[own.id, 1], [own.id, 2]]);
  expect(await seen(3, await token('tag: "mine"'))).toEqual([[own.id, 1], [end.id, 1], [own.id, 2]]);
  expect(await seen(1, await token('tag: "mine"'), { ids: [hidden.id, end.id] })).toEqual([[end.id, 1]]);
  await nobodyWatches();
});

test('it takes the READ scope', async () => {
  const secret = await workspace.key({ scopes: ['WRITE'] });
  expect(await refusalOf({}, secret)).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test('U4: a cursor that was asked for misses nothing from there on, though no update has come yet', async () => {
  const asked = await longhaul.graphql('{ jobUpdatesCursor }', {}, key);
  const after = String(asked.data?.['jobUpdatesCursor']);
  const job = await submit(longhaul, workspace.id);
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  const changes = await take(2, { after });
  expect(changes.map((change) => change.job.version)).toEqual([1, 2]);
});
