import { deepStrictEqual } from 'node:assert';
import { defaultWorkspace, empty, fill, settle } from '../installation.ts';
import { type Exchange, jsonOf } from '../load.ts';
import { atLeast, type Comparison, none } from '../measure.ts';
import { exchangeRound, type Server, startFastify, startLonghaul } from '../servers.ts';
import type { Case } from './case.ts';

const jobs = 100;

/** A limit that is counted in Redis, but never reached. */
const rateLimit = '100000000';

const pathOf = (id: string) => `/videoconduit/v1/jobs/${id}`;

/** Polls the status of running jobs through a dialect, compared with a hand-written route. */
export const poll: Case = async (installation, stops) => {
  const env = { ...installation.env, RATE_LIMIT: rateLimit };
  const longhaul = await startLonghaul({ ...installation, env }, stops);
  const workspaceId = await defaultWorkspace(installation);
  await empty(installation);
  // One in four of these is running.
  await fill(installation, { workspaceId, type: 'analysis', jobs: 4 * jobs, mix: true });
  await settle(installation);
  const { rows } = await installation.admin.query<{ id: string }>(
    `SELECT id FROM job WHERE status = 'RUNNING' ORDER BY md5(id::text)`,
  );
  if (rows.length !== jobs) throw new Error(`${rows.length} jobs run, not ${jobs}`);
  const fastify = await startFastify(installation, stops);

  const tags = new Map<string, string>();
  for (const { id } of rows) tags.set(id, await sameAnswer(longhaul, fastify, id, installation.key));

  const request = (id: string, more = '') =>
    `GET ${pathOf(id)} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${installation.key}\r\n${more}\r\n`;
  const [one] = rows;
  const oneJob = one === undefined ? [] : [request(one.id)];
  const manyJobs = rows.map(({ id }) => request(id));
  const known = rows.map(({ id }) => request(id, `If-None-Match: ${tags.get(id)}\r\n`));

  const compare = (title: string, aim: Comparison['aim'], ours: () => Exchange, theirs: () => Exchange): Comparison => ({
    title,
    unit: 'requests/s',
    aim,
    sides: [
      { name: 'Longhaul', round: (seconds) => exchangeRound(installation, longhaul, ours(), { seconds }) },
      { name: 'Fastify', round: (seconds) => exchangeRound(installation, fastify, theirs(), { seconds }) },
    ],
  });
  return [
    compare(`polling ${jobs} jobs`, atLeast(1.7), () => inFull(manyJobs), () => inFull(manyJobs)),
    compare(`polling ${jobs} jobs, answered 304`, atLeast(1.7), () => unchanged(known), () => inFull(manyJobs)),
    compare('polling one job', none, () => inFull(oneJob), () => inFull(oneJob)),
  ];
};

/** Checks that both servers show the job alike. Returns Longhaul's entity tag. */
async function sameAnswer(longhaul: Server, fastify: Server, id: string, key: string): Promise<string> {
  const headers = { authorization: `Bearer ${key}` };
  const ask = (port: number) => fetch(`http://127.0.0.1:${port}${pathOf(id)}`, { headers });
  const [ours, theirs] = await Promise.all([ask(longhaul.port), ask(fastify.port)]);
  deepStrictEqual(await ours.json(), await theirs.json());
  const tag = ours.headers.get('etag');
  if (ours.status !== 200 || tag === null) throw new Error(`a poll was answered ${ours.status}, with the tag ${tag}`);
  return tag;
}

/** Returns the requests in turn, over and over. */
function turns(requests: readonly string[]): () => string {
  let next = 0;
  return () => {
    next += 1;
    return requests[next % requests.length] ?? '';
  };
}

function inFull(requests: readonly string[]): Exchange {
  return {
    request: turns(requests),
    head: 'HTTP/1.1 200 ',
    body: Buffer.from('{"job_id":"'),
    check: (answer) => {
      const { status }: { status?: unknown } = Object(jsonOf(answer));
      if (status !== 'processing') throw new Error(`a job that runs is shown as ${String(status)}`);
    },
  };
}

function unchanged(requests: readonly string[]): Exchange {
  return { request: turns(requests), head: 'HTTP/1.1 304 ', body: Buffer.alloc(0), check: () => undefined };
}
