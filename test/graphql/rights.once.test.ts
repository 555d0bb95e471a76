import { getNamedType, isCompositeType, isInterfaceType, isObjectType, isRequiredArgument } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { createApiKey } from '../../src/workspaces/create-api-key.ts';
import { defaultWorkspaceId } from '../../src/workspaces/default-workspace.ts';
import type { Scope } from '../../src/workspaces/scope.ts';
import { Tenant } from '../support/domain.ts';
import { type GraphQLAnswer, type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { type Credential, credentials, fields, roots } from '../support/rights-tables.ts';
import { type Scene, type Sight, type Way, ways } from '../support/rights-ways.ts';

let longhaul: Longhaul;
let scene: Scene;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  const { database } = longhaul.services;
  const workspace = await longhaul.workspace();
  const foreign = await longhaul.workspace();
  const own = (scope: Scope) => workspace.key({ scopes: [scope] });
  const ofDefault = async (scope: Scope) => {
    const asked = { workspaceId: await defaultWorkspaceId(database.em()), name: 'test', scopes: [scope] };
    return (await createApiKey(database, asked)).secret;
  };
  const secrets: Scene['secrets'] = {
    none: null,
    READ: await own('READ'),
    WRITE: await own('WRITE'),
    WORK: await own('WORK'),
    WORK_ALL: await ofDefault('WORK_ALL'),
    ADMIN: await ofDefault('ADMIN'),
    token: null,
    creating: null,
    foreign: await foreign.key(),
  };
  const tokenOf = async (scopes: Scope[]) => {
    const document = 'mutation ($scopes: [Scope!]) { createAccessToken(input: { tag: "seen", scopes: $scopes }) { ... on CreateAccessTokenPayload { token } } }';
    const { data } = await longhaul.graphql(document, { scopes }, await workspace.key({ scopes }));
    return /"token":"([^"]+)"/.exec(JSON.stringify(data))?.[1] ?? '';
  };
  secrets.token = await tokenOf(['READ']);
  secrets.creating = await tokenOf(['READ', 'WRITE']);
  const tenant = Tenant.of(longhaul, workspace.id);
  scene = { longhaul, tenant, secrets, held: (credential) => hold(tenant, secrets, credential) };
});
afterAll(() => longhaul.stop());

const claimMutation =
  'mutation ($id: ID!) { claimJobs(input: { types: ["fingerprint"], jobIds: [$id], workerId: "w" }) { ... on ClaimJobsPayload { leases { token } } } }';

async function hold(tenant: Tenant, secrets: Scene['secrets'], credential: Credential): Promise<{ id: string; token: string }> {
  const job = await tenant.create({ tags: ['seen'] });
  if (credential !== 'WORK' && credential !== 'WORK_ALL') return { id: job.id, token: (await tenant.start(job)).token };
  const { data } = await longhaul.graphql(claimMutation, { id: job.id }, secrets[credential]);
  return { id: job.id, token: /lease_[\w-]+/.exec(JSON.stringify(data))?.[0] ?? '' };
}

test('every field of the schema is listed, and nothing else', () => {
  const types = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) || isInterfaceType(type));
  const rootNames = ['Query', 'Mutation', 'Subscription'];
  const own = types.filter(({ name }) => !name.startsWith('__') && !rootNames.includes(name));
  const inSchema = own.flatMap(({ name, getFields }) => Object.keys(getFields.call(schema.getType(name))).map((field) => `${name}.${field}`));
  const listed = Object.entries(fields).flatMap(([name, by]) => Object.values(by).flatMap(namesIn).map((field) => `${name}.${field}`));
  expect(listed.toSorted()).toEqual(inSchema.toSorted());
  const inRoots = types.filter(({ name }) => rootNames.includes(name)).flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`));
  expect(Object.keys(roots).toSorted()).toEqual(inRoots.toSorted());
});

test.each(Object.entries(roots))('%s is for those who have its right', async (_name, { document, by }) => {
  const allowed = namesIn(by);
  for (const credential of credentials) {
    const codes = codesOf(await ask(document, {}, credential));
    const refused = ['FORBIDDEN', 'UNAUTHENTICATED'].filter((code) => codes.includes(code));
    const expected = credential === 'none' ? ['UNAUTHENTICATED'] : allowed.includes(credential) ? [] : ['FORBIDDEN'];
    expect({ credential, refused }).toEqual({ credential, refused: expected });
  }
});

describe.each(Object.entries(ways))('%s', (_name, way) => {
  test.each(credentials)('is shown to %s as far as its rights go', async (credential) => {
    const sight = way.sees[credential] ?? 'refused';
    const { all = '', read = '', key = '' } = fields[way.type] ?? {};
    const everything = namesIn(`${all} ${read} ${['token', 'creating'].includes(credential) ? '' : key}`);
    if (sight === 'whole') return expect(await seen(way, credential, everything)).toEqual(everything);
    const outcome = await seen(way, credential, namesIn(all));
    expect(outcome).toEqual(sight === 'shown' ? namesIn(all) : sight);
    if (sight !== 'shown') {
      // Nor with all that there is to select.
      return expect(['refused', sight]).toContain(await seen(way, credential, everything));
    }
    const variables = await way.variables(scene, credential);
    for (const field of namesIn(`${read} ${key}`)) {
      expect({ field, outcome: await seen(way, credential, ['id', field], variables) }).toEqual({ field, outcome: 'refused' });
    }
    // Nothing ran: what the document was to do can still be done.
    expect(await seen(way, credential, namesIn(all), variables)).toEqual(namesIn(all));
  });
});

test("a key's list is for ADMIN, and access tokens see no deliveries", async () => {
  const keys = '{ workspace { apiKeys { edges { node { id } } } } }';
  expect(codesOf(await ask(keys, {}, 'READ'))).toEqual(['FORBIDDEN']);
  const { id } = await scene.tenant.create({ tags: ['seen'] });
  const deliveries = 'query ($id: ID!) { job(id: $id) { id webhookDeliveries { edges { node { url } } } } }';
  expect(codesOf(await ask(deliveries, { id }, 'token'))).toEqual(['FORBIDDEN']);
});

/** The fields that were shown, or why none was. */
async function seen(way: Way, credential: Credential, names: readonly string[], variables?: Record<string, unknown>): Promise<string[] | Sight> {
  const selection = names.map((name) => selectionOf(way.type, name)).join(' ');
  const document = way.document.replace('SELECTION', selection);
  const answer = await ask(document, variables ?? (await way.variables(scene, credential)), credential);
  const codes = codesOf(answer);
  if (codes.some((code) => code === 'FORBIDDEN' || code === 'UNAUTHENTICATED')) return 'refused';
  if (codes.every((code) => code !== 'NOT_FOUND')) expect(answer.errors).toEqual([]);
  const found = dig(answer.data, way.path.split('.'));
  return typeof found === 'object' && found !== null && Object.keys(found).length > 0 ? Object.keys(found) : 'null';
}

function selectionOf(type: string, name: string): string {
  const parent = schema.getType(type);
  const field = isObjectType(parent) ? parent.getFields()[name] : undefined;
  if (field === undefined) throw new Error(`there is no ${type}.${name}`);
  if (field.args.some(isRequiredArgument)) throw new Error(`say which arguments ${type}.${name} takes in this test`);
  return isCompositeType(getNamedType(field.type)) ? `${name} { __typename }` : name;
}

function dig(data: unknown, path: readonly string[]): unknown {
  if (Array.isArray(data)) return data.map((item) => dig(item, path)).find((found) => found != null);
  const [name, ...rest] = path;
  if (name === undefined) return data;
  if (typeof data !== 'object' || data === null) return null;
  return dig(Object.entries(data).find(([key]) => key === name)?.[1], rest);
}

function namesIn(list: string): string[] {
  return list.split(' ').filter((name) => name !== '');
}

function codesOf({ errors }: GraphQLAnswer): string[] {
  return errors.map(({ extensions }) => String(extensions['code']));
}

/** Asks over HTTP, and takes the first event of a subscription. */
async function ask(document: string, variables: object, credential: Credential): Promise<GraphQLAnswer> {
  const secret = scene.secrets[credential];
  if (!document.startsWith('subscription')) return longhaul.graphql(document, variables, secret);
  const leaving = new AbortController();
  const response = await fetch(`${longhaul.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
    },
    body: JSON.stringify({ query: document, variables }),
    signal: leaving.signal,
  });
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    // These send nothing until something changes.
    const waits = document.includes('jobUpdates') || document.includes('leaseLost');
    if (text.includes('\ndata: {') || (waits && text.startsWith(':')) || !text.startsWith(':')) break;
  }
  leaving.abort();
  const json = /^(?:data: )?(\{.*\})$/m.exec(text)?.[1] ?? '{}';
  const { data = null, errors = [] }: Partial<GraphQLAnswer> = JSON.parse(json);
  return { status: response.status, data, errors };
}
