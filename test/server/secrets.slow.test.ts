import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../src/server/json-log.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { submit } from '../support/steps.ts';

const newSecret = () => randomBytes(32).toString('hex');

async function started(env: Record<string, string>, sharing?: Longhaul): Promise<Longhaul & { logged: string[] }> {
  const logged: string[] = [];
  const log = createLog('warn', { write: (line) => void logged.push(line) });
  const longhaul = await startLonghaul(env, { log, ...(sharing && { sharing }) });
  onTestFinished(() => longhaul.stop());
  return { ...longhaul, logged };
}

const pageQuery = 'query ($after: String) { jobs(first: 1, after: $after) { edges { cursor node { uuid } } } }';
const tokenMutation =
  'mutation ($id: ID) { createAccessToken(input: { jobId: $id }) { ... on CreateAccessTokenPayload { token } } }';

async function statusOf(longhaul: Longhaul, key: string): Promise<number> {
  return (await longhaul.graphql('{ jobTypes { name } }', {}, key)).status;
}

async function rowsOf(longhaul: Longhaul): Promise<string[]> {
  const rows = await longhaul.services.database.hot.query<{ stored: string }>(
    'SELECT webhook_secret AS stored FROM workspace UNION ALL SELECT secret FROM retired_webhook_secret',
  );
  return rows.map(({ stored }) => stored);
}

test('SECRET is changed without breaking what is out, in two steps; what only the old one made ends with it', async () => {
  const [old, young] = [newSecret(), newSecret()];
  const first = await started({ SECRET: old });
  const workspace = await first.workspace();
  const key = await workspace.key();
  const jobs = [await submit(first, workspace.id), await submit(first, workspace.id)];
  const page = await first.graphql(pageQuery, {}, key);
  const [, cursor = ''] = /"cursor":"([^"]+)"/.exec(JSON.stringify(page.data)) ?? [];
  const made = await first.graphql(tokenMutation, { id: jobs[0]?.id }, key);
  const [, token = ''] = /"token":"([^"]+)"/.exec(JSON.stringify(made.data)) ?? [];
  const file = { id: jobs[0]?.id ?? '', expiresAt: new Date(Date.now() + 60_000) };
  const link = new URL(first.services.links.sign(file)).searchParams;
  const sees = async (longhaul: Longhaul) => ({
    cursor: (await longhaul.graphql(pageQuery, { after: cursor }, key)).errors.length === 0,
    token: (await longhaul.graphql('query ($id: ID!) { job(id: $id) { uuid } }', { id: file.id }, token)).status === 200,
    link: longhaul.services.links.verify(file.id, link.get('expires') ?? '', link.get('signature') ?? ''),
  });
  const rotated = await first.graphql('mutation { rotateWebhookSecret { secret } }', {}, key);
  const [secret = ''] = /whsec_[^"]+/.exec(JSON.stringify(rotated.data)) ?? [];
  const storedIn = (longhaul: Longhaul) =>
    longhaul.services.database.hot
      .query<{ stored: string }>('SELECT webhook_secret AS stored FROM workspace WHERE id = $1', [workspace.id])
      .then(([row]) => longhaul.services.webhookSecrets.open(row?.stored ?? '', workspace.id));

  // Beside the first, as in a rolling change: it still signs with the old one.
  const between = await started({ SECRET: `${old},${young}` }, first);
  expect(await sees(between)).toEqual({ cursor: true, token: true, link: true });
  const changing = await started({ SECRET: `${young},${old}` }, first);
  expect(await sees(changing)).toEqual({ cursor: true, token: true, link: true });
  expect([await storedIn(between), await storedIn(changing)]).toEqual([secret, secret]);
  const changed = await started({ SECRET: young }, first);
  expect(await sees(changed)).toEqual({ cursor: false, token: false, link: false });
  expect([await storedIn(first), await storedIn(changed)]).toEqual([null, secret]);
  expect(changed.logged).toEqual([]);
}, 60_000);

test('another SECRET than the one of the installation stops the start, and the old one still starts', async () => {
  const old = newSecret();
  const first = await started({ SECRET: old });
  await expect(startLonghaul({ SECRET: newSecret() }, { sharing: first })).rejects.toThrow(/^SECRET is not the one/);
  await expect(startLonghaul({ SECRET: newSecret(), ROLE: 'worker' }, { sharing: first })).rejects.toThrow(/^SECRET is not the one/);
  await started({ SECRET: old }, first);
}, 60_000);

test('webhook secrets are encrypted at rest; those that an earlier version stored as they are, at the next start', async () => {
  const first = await started({});
  const workspace = await first.workspace();
  const { database } = first.services;
  expect(await rowsOf(first)).toEqual(Array.from(await rowsOf(first), () => expect.stringMatching(/^v1:[\w-]{60,}$/)));
  await database.hot.query(`UPDATE workspace SET webhook_secret = 'whsec_plain' WHERE id = $1`, [workspace.id]);
  await database.hot.query(
    `INSERT INTO retired_webhook_secret (id, workspace_id, secret) VALUES (gen_random_uuid(), $1, 'whsec_older')`,
    [workspace.id],
  );
  const next = await started({}, first);
  const rows = await rowsOf(next);
  expect(rows.join()).not.toContain('whsec_');
  const opened = rows.map((stored) => next.services.webhookSecrets.open(stored, workspace.id));
  expect(opened.filter((secret) => secret !== null).toSorted()).toEqual(['whsec_older', 'whsec_plain']);
}, 60_000);

test('a revoked ADMIN_API_KEY stays revoked when a process starts with it, which says so', async () => {
  const first = await started({});
  const keys = await first.graphql('{ workspace { apiKeys { edges { node { id name } } } } }');
  const [, id = ''] = /"id":"(key_[^"]+)"/.exec(JSON.stringify(keys.data)) ?? [];
  const revoked = await first.graphql('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename } }', { id });
  expect(revoked.data).toEqual({ revokeApiKey: { __typename: 'RevokeApiKeyPayload' } });
  const second = await started({}, first);
  expect((await second.graphql('{ jobTypes { name } }')).status).toBe(401);
  expect(second.logged.join()).toContain('ADMIN_API_KEY was revoked');

  const young = `lh_${newSecret()}`;
  const third = await started({ ADMIN_API_KEY: young }, first);
  expect((await third.graphql('{ jobTypes { name } }', {}, young)).status).toBe(200);
  expect(third.logged.join()).not.toContain('ADMIN_API_KEY');
}, 60_000);

test('the key that the first start made ends when ADMIN_API_KEY takes over, and no other key does', async () => {
  const first = await started({ ADMIN_API_KEY: '' });
  const made = first.madeKey ?? '';
  const create = `mutation ($id: ID!) { createApiKey(input: { workspaceId: $id, name: "admin", scopes: [READ] }) { ... on CreateApiKeyPayload { secret } } }`;
  const { data } = await first.graphql('{ workspace { id } }', {}, made);
  const [id = ''] = /ws_[\w-]+/.exec(JSON.stringify(data)) ?? [];
  const another = /lh_\w+/.exec(JSON.stringify((await first.graphql(create, { id }, made)).data))?.[0] ?? '';

  const again = await started({ ADMIN_API_KEY: '' }, first);
  expect([again.madeKey, await statusOf(again, made)]).toEqual([null, 200]);
  const taken = await started({ ADMIN_API_KEY: `lh_${newSecret()}` }, first);
  expect([await statusOf(taken, made), await statusOf(taken, another)]).toEqual([401, 200]);
}, 60_000);
