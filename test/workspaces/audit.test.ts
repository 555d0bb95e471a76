import { glob, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { queryableOf } from '../../src/database/database.ts';
import type { AccessClaims } from '../../src/workspaces/access-token.ts';
import { byNobody, record } from '../../src/workspaces/audit/record.ts';
import { authenticate } from '../../src/workspaces/authenticate.ts';
import { revokeApiKey } from '../../src/workspaces/revoke-api-key.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

interface Entry {
  id: string;
  action: string;
  actor: string | null;
  target: string | null;
  outcome: string;
  ipAddress: string | null;
  details: object;
}

/** The entries of a workspace as an administrator reads them. */
async function audit({ id }: Pick<TestWorkspace, 'id'>, args = 'first: 100'): Promise<Entry[]> {
  const query = `query ($id: ID!) { node(id: $id) { ... on Workspace { auditEntries(${args}) {
    edges { node { id at action actor target outcome ipAddress details } } } } } }`;
  const { data, errors } = await longhaul.graphql(query, { id: `ws_${id}` });
  expect(errors).toEqual([]);
  const { node }: { node?: { auditEntries: { edges: { node: Entry }[] } } } = data ?? {};
  return node?.auditEntries.edges.map((edge) => edge.node) ?? [];
}

test('an entry is there with what it tells of, or neither is', async () => {
  const workspace = await longhaul.workspace();
  const { database } = longhaul.services;
  const note = { workspaceId: workspace.id, action: 'credits.grant', by: byNobody, details: { amount: 3 } } as const;
  const before = await audit(workspace);
  const failing = database.transactional(async (em) => {
    await record(queryableOf(em), note);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await audit(workspace)).toEqual(before);
  await database.transactional((em) => record(queryableOf(em), note));
  expect(await audit(workspace, 'first: 1')).toMatchObject([
    { action: 'credits.grant', actor: null, target: null, outcome: 'ok', ipAddress: null, details: { amount: 3 } },
  ]);
  expect(await audit(workspace)).toHaveLength(before.length + 1);
});

test('an address is one, whatever a proxy that is trusted passes on', async () => {
  const workspace = await longhaul.workspace();
  for (const address of ['203.0.113.9', '2001:db8::1', '<script>', 'a'.repeat(10_000)]) {
    await record(longhaul.services.database.reads, { workspaceId: workspace.id, action: 'credits.grant', by: { apiKeyId: null, address } });
  }
  expect((await audit(workspace, 'first: 4')).map(({ ipAddress }) => ipAddress)).toEqual([null, null, '2001:db8::1', '203.0.113.9']);
});

test('pages go from the newest on, also of some actions alone, and an entry is a node', async () => {
  const workspace = await longhaul.workspace();
  for (let n = 0; n < 5; n += 1) {
    const action = n % 2 === 0 ? 'bulk_action.start' : 'bulk_action.stop';
    await record(longhaul.services.database.reads, { workspaceId: workspace.id, action, by: byNobody, details: { n } });
  }
  const numbers = async (args: string) => (await audit(workspace, args)).map(({ details }) => details);
  expect(await numbers('first: 2')).toEqual([{ n: 4 }, { n: 3 }]);
  expect(await numbers('last: 2, actions: ["bulk_action.start"]')).toEqual([{ n: 2 }, { n: 0 }]);
  expect(await numbers('first: 3, actions: ["bulk_action.stop", "bulk_action.start", "none"]')).toEqual([{ n: 4 }, { n: 3 }, { n: 2 }]);
  expect(await numbers('actions: []')).toEqual([]);
  const [entry] = await audit(workspace, 'first: 1');
  const node = await longhaul.graphql('query ($id: ID!) { node(id: $id) { ... on AuditEntry { action } } }', { id: entry?.id });
  expect(node.data).toEqual({ node: { action: 'bulk_action.start' } });
  expect((await longhaul.graphql('query ($id: ID!) { node(id: $id) { id } }', { id: entry?.id }, await workspace.key())).data).toEqual({ node: null });
});

/** Asks with a key, and returns the whole answer. */
async function ask(mutation: string, input: object, key?: string | null) {
  const [, name = ''] = /^(\w+)/.exec(mutation) ?? [];
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return longhaul.graphql(`mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on UserError { code } ${mutation.slice(name.length)} } }`, { input }, key);
}

/** The entries since there were so many, oldest first. */
async function since(workspace: Pick<TestWorkspace, 'id'>, count: number): Promise<Entry[]> {
  return (await audit(workspace)).toReversed().slice(count);
}

describe('the audit says who did what', () => {
  test('to a workspace, its credits, keys and secrets', async () => {
    const made = await ask('createWorkspace ... on CreateWorkspacePayload { workspace { id } }', { name: 'audited', credits: 5, concurrencyLimit: 2 });
    const [target = ''] = /ws_[\w-]+/.exec(JSON.stringify(made.data)) ?? [];
    const workspace = { id: target.slice(3) };
    const grant = { workspaceId: target, amount: 7, idempotencyKey: target };
    await ask('grantCredits', grant);
    await ask('grantCredits', grant);
    await ask('updateWorkspace', { id: target, paused: true, concurrencyLimit: null });
    const key = await ask('createApiKey ... on CreateApiKeyPayload { secret apiKey { id prefix } }', { workspaceId: target, name: 'exports', scopes: ['READ', 'WRITE'] });
    const { createApiKey }: { createApiKey?: { secret: string; apiKey: { id: string; prefix: string } } } = key.data ?? {};
    if (createApiKey === undefined) throw new Error('no key was made');
    const { secret, apiKey } = createApiKey;
    await longhaul.graphql('mutation { rotateWebhookSecret { secret } }', {}, secret);
    await ask('createAccessToken', { tag: 'board' }, secret);
    await ask('revokeApiKey', { id: apiKey.id });
    await ask('revokeApiKey', { id: apiKey.id });

    const entries = await since(workspace, 0);
    const admin = expect.stringMatching(/^ADMIN_API_KEY \(lh_\w{4}\)$/);
    const theirs = `exports (${apiKey.prefix})`;
    const described = { name: 'exports', prefix: apiKey.prefix, scopes: ['READ', 'WRITE'], dialect: 'NATIVE' };
    expect(entries).toMatchObject([
      { action: 'workspace.create', actor: admin, target, details: { name: 'audited', credits: 5, concurrencyLimit: 2 } },
      { action: 'credits.grant', actor: admin, target, details: { amount: 7, balanceAfter: 12 } },
      { action: 'workspace.update', actor: admin, target, details: { paused: true, concurrencyLimit: null } },
      { action: 'api_key.create', actor: admin, target: apiKey.id, details: { ...described, isImported: false } },
      { action: 'webhook_secret.rotate', actor: theirs, target, details: {} },
      { action: 'access_token.create', actor: theirs, target: null, details: { tag: 'board' } },
      { action: 'api_key.revoke', actor: admin, target: apiKey.id, details: described },
    ]);
    for (const { outcome, ipAddress } of entries) expect({ outcome, ipAddress }).toEqual({ outcome: 'ok', ipAddress: '127.0.0.1' });
    expect(JSON.stringify(entries)).not.toContain(secret);
  });

  test('to a job type, in `default`', async () => {
    const { data } = await longhaul.graphql('{ workspace { id } }');
    const [target = ''] = /ws_[\w-]+/.exec(JSON.stringify(data)) ?? [];
    for (const paused of [true, false]) await ask('updateJobType', { name: 'comments', paused });
    const entries = await audit({ id: target.slice(3) }, 'first: 2, actions: ["job_type.update"]');
    expect(entries).toMatchObject([{ details: { name: 'comments', paused: false } }, { target: null, outcome: 'ok', details: { name: 'comments', paused: true } }]);
  });

  test('to a schedule', async () => {
    const workspace = await longhaul.workspace();
    const key = await workspace.key();
    const before = (await audit(workspace)).length;
    const asked = { name: 'nightly', cron: '0 3 * * *', type: 'fingerprint', input: { sourceUrl: 'https://example.com/secret' } };
    const made = await ask('createSchedule ... on CreateSchedulePayload { schedule { id } }', asked, key);
    const [target = ''] = /schedule_[\w-]+/.exec(JSON.stringify(made.data)) ?? [];
    await ask('updateSchedule', { id: target, cron: '0 4 * * *', paused: true }, key);
    await ask('triggerSchedule', { id: target }, key);
    await ask('deleteSchedule', { id: target }, key);
    const entries = await since(workspace, before);
    expect(entries).toMatchObject([
      { action: 'schedule.create', details: { name: 'nightly', cron: '0 3 * * *', timeZone: 'UTC', type: 'fingerprint' } },
      { action: 'schedule.update', details: { name: 'nightly', changed: ['cron', 'paused'], paused: true } },
      { action: 'schedule.trigger', details: { jobId: expect.stringMatching(/^job_/) } },
      { action: 'schedule.delete', details: { name: 'nightly' } },
    ]);
    for (const entry of entries) expect(entry).toMatchObject({ actor: expect.stringMatching(/^test \(lh_/), target, outcome: 'ok' });
    expect(JSON.stringify(entries)).not.toContain('example.com');
  });
});

describe('the audit says what was refused', () => {
  // What others were refused within the same minute counts, too.
  beforeEach(() => longhaul.services.audit.loop.settle());

  test('to a key that lacks the scope, and to one whose input is wrong', async () => {
    const workspace = await longhaul.workspace();
    const [key, reader] = [await workspace.key(), await workspace.key({ scopes: ['READ'] })];
    const before = (await audit(workspace)).length;
    await ask('grantCredits', { workspaceId: `ws_${workspace.id}`, amount: 5 }, key);
    await ask('createSchedule', { name: 'a', cron: 'never', type: 'fingerprint' }, key);
    await ask('createAccessToken', { tag: 'a', scopes: ['WRITE'] }, reader);
    await ask('deleteSchedule', { id: 'schedule_00000000-0000-7000-8000-000000000000' }, key);
    await longhaul.services.audit.loop.settle();
    expect(await since(workspace, before)).toMatchObject([
      { action: 'credits.grant', outcome: 'FORBIDDEN', actor: expect.stringMatching(/^test \(lh_/), ipAddress: '127.0.0.1' },
      { action: 'schedule.create', outcome: 'VALIDATION_ERROR' },
      { action: 'access_token.create', outcome: 'FORBIDDEN' },
      { action: 'schedule.delete', outcome: 'NOT_FOUND', target: 'schedule_00000000-0000-7000-8000-000000000000' },
    ]);
  });

  test('at the door: with a revoked key in its workspace, with an unknown one in `default`, never with the secret', async () => {
    const workspace = await longhaul.workspace();
    const [key, foreign] = [await workspace.key(), await workspace.key({ dialect: 'VYDRA' })];
    const { authenticator, database } = longhaul.services;
    const keyId = (await authenticator.find(key))?.id ?? '';
    await revokeApiKey(database, authenticator, keyId);
    const refused = 'first: 50, actions: ["sign_in.refused"]';
    await longhaul.graphql('{ viewer { scopes } }', {}, key);
    await longhaul.graphql('{ viewer { scopes } }', {}, foreign);
    await fetch(`${longhaul.url}/vydra/api/v1/jobs`, { headers: { authorization: `Bearer ${key}` } });
    const opened = { restriction: { tags: ['a'], types: null }, scopes: ['READ'] } satisfies Partial<AccessClaims>;
    const expired = { apiKeyId: keyId, workspaceId: workspace.id, ...opened, expiresAt: new Date(Date.now() - 60_000) } satisfies AccessClaims;
    await longhaul.graphql('{ viewer { scopes } }', {}, await longhaul.services.accessTokens.sign(expired));
    await longhaul.services.audit.loop.settle();
    expect(await audit(workspace, refused)).toHaveLength(4);
    const common = { actor: expect.stringMatching(/^test \(/), outcome: 'UNAUTHENTICATED', ipAddress: '127.0.0.1' };
    expect(await audit(workspace, refused)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...common, details: { surface: 'NATIVE', reason: 'revoked' } }),
        expect.objectContaining({ ...common, details: { surface: 'NATIVE', reason: 'other dialect' } }),
        expect.objectContaining({ ...common, details: { surface: 'VYDRA', reason: 'revoked' } }),
        expect.objectContaining({ ...common, outcome: 'TOKEN_EXPIRED', details: { surface: 'NATIVE', reason: 'expired' } }),
      ]),
    );

    const secret = 'lh_nobody-has-this-key';
    const { data } = await longhaul.graphql('{ workspace { id } }');
    const home = { id: /ws_([\w-]+)/.exec(JSON.stringify(data))?.[1] ?? '' };
    await longhaul.graphql('{ viewer { scopes } }', {}, secret);
    await longhaul.services.audit.loop.settle();
    expect(await audit(home, 'first: 1, actions: ["sign_in.refused"]')).toMatchObject([{ actor: null, target: null, details: { reason: 'unknown' } }]);
    expect(JSON.stringify([await audit(workspace), await audit(home)])).not.toContain(secret);
  });

  test('a flood of it has a few entries, and one that counts the rest', async () => {
    const workspace = await longhaul.workspace();
    const key = await workspace.key();
    const { audit: trail, authenticator, database } = longhaul.services;
    await revokeApiKey(database, authenticator, (await authenticator.find(key))?.id ?? '');
    const attempts = 300;
    await Promise.all(Array.from({ length: attempts }, () => authenticate(longhaul.services, { secret: key, address: '192.0.2.1' }, 'NATIVE').catch(() => null)));
    await trail.loop.settle();
    const entries = await audit(workspace, 'first: 100, actions: ["sign_in.refused"]');
    expect(entries.length).toBeLessThanOrEqual(6);
    const counted = entries.map(({ details }) => ('count' in details ? Number(details.count) : 1));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(attempts);
  });
});

test('no code path changes or removes an entry', async () => {
  const files = await Array.fromAsync(glob('**/*.ts', { cwd: new URL('../../src', import.meta.url) }));
  const sources = await Promise.all(files.map(async (file) => ({ file, text: await readFile(new URL(`../../src/${file}`, import.meta.url), 'utf8') })));
  const changing = /(UPDATE|DELETE FROM|TRUNCATE)\s+"?audit_entry|native(Update|Delete)\(AuditEntry/i;
  expect(sources.filter(({ text }) => changing.test(text)).map(({ file }) => file)).toEqual([]);
});
