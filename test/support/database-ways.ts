import { newId } from '../../src/database/ids.ts';
import type { Longhaul } from './longhaul.ts';

/** A mutation that writes. */
export const write = 'mutation { createJob(input: { type: "analysis" }) { ... on CreateJobPayload { job { uuid } } } }';

/** One request for each way to the database: statements, transactions, MikroORM's reads and units of work, on every surface. */
export function askedEachWay({ url, adminKey, services }: Longhaul): [string, () => Promise<Response>][] {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const post = (path: string, body: object) => () => fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  const file = services.links.sign({ id: newId(), expiresAt: new Date(Date.now() + 60_000) });
  return [
    ['a write', post('/graphql', { query: write })],
    ['a list', post('/graphql', { query: '{ jobs { totalCount } }' })],
    ['a read through em', post('/graphql', { query: '{ workspace { name } }' })],
    ['a write through em', post('/graphql', { query: 'mutation { rotateWebhookSecret { secret } }' })],
    ['a write of an entity', post('/graphql', { query: `mutation { redeliverWebhook(input: { id: "delivery_${newId()}" }) { __typename } }` })],
    ['a job of a dialect', () => fetch(`${url}/vydra/api/v1/jobs/${newId()}`, { headers })],
    ['a list of a dialect', () => fetch(`${url}/vydra/api/v1/jobs`, { headers })],
    ['a submission of a dialect', post('/vydra/api/v1/jobs', { workflow: 'house-timelapse', input: { theme: 'x' } })],
    ['a file', () => fetch(url + new URL(file).pathname + new URL(file).search)],
  ];
}
