import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { CreateJobDocument, JobProgressDocument } from '../graphql/generated/graphql.ts';
import { beginRequest } from '../support/begun-request.ts';
import { ask } from '../support/client.ts';
import { createFaultProxy } from '../support/fault-proxy.ts';
import { startFileServer } from '../support/file-server.ts';
import { type Installation, prepareInstallation, type ReadyProcess } from '../support/process.ts';
import { watchJob } from '../support/watched-job.ts';

const cleanly = { code: 0, signal: null };

test('a claim that waits for work is answered with no leases when its api is told to stop', async () => {
  const fleet = await prepareInstallation();
  const [stopping, other] = await Promise.all([fleet.start('api'), fleet.start('api')]);
  const { id } = await create(fleet, other, 'comments', 'https://example.com/film');
  const watch = watchJob(other.url, fleet.adminKey, id);
  const answer = post(fleet, stopping, {
    variables: { id },
    // One field after the other: when the job is cancelled, the claim is about to wait.
    query: `mutation ($id: ID!) {
      cancelJob(input: { id: $id }) { __typename }
      claimJobs(input: { types: ["comments"], workerId: "patient", waitSeconds: 30 }) {
        ... on ClaimJobsPayload { leases { token } }
      }
    }`,
  });
  await watch.end();
  stopping.kill('SIGTERM');

  const response = await answer;
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    data: { cancelJob: { __typename: 'CancelJobPayload' }, claimJobs: { leases: [] } },
  });
  expect(await stopping.ended).toEqual(cleanly);
});

test('a request in flight is answered, and neither a second signal nor a connection without a request cuts it short', async () => {
  const fleet = await prepareInstallation();
  const api = await fleet.start('api');
  const unused = connect(Number(new URL(api.url).port), '127.0.0.1');
  await once(unused, 'connect');
  const closed = once(unused.resume(), 'close');
  const { answer, finish } = await beginRequest(api.url, fleet.adminKey, '{ workspace { name } }');
  api.kill('SIGTERM');
  await api.wrote(/"msg":"stopping"/);
  // As npm does: it passes on the signal that the terminal has already sent to the whole group.
  api.kill('SIGTERM');
  api.kill('SIGINT');
  await api.wrote(/"msg":"still stopping"/);
  // What is no request stops first; until HTTP does, a connection may rightly stay open.
  await vi.waitFor(() => expect(fetch(`${api.url}/health/live`)).rejects.toThrow(), { timeout: 10_000 });

  // It would be waited for, until all that is left were cut.
  await closed;

  finish();
  const response = await answer;
  expect(response.statusCode).toBe(200);
  // A connection that stayed open would be waited for.
  expect(response.headers.connection).toBe('close');
  expect(await json(response)).toEqual({ data: { workspace: { name: 'default' } } });
  expect(await api.ended).toEqual(cleanly);
});

test('a request that never ends does not keep the process, and has a part of STOP_SECONDS', async () => {
  const fleet = await prepareInstallation({ STOP_SECONDS: '3' });
  const api = await fleet.start('api');
  const { answer } = await beginRequest(api.url, fleet.adminKey, '{ workspace { name } }');
  const cut = expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
  api.kill('SIGTERM');
  expect(await api.ended).toEqual(cleanly);
  await cut;
});

test('a process that cannot end within STOP_SECONDS says so, and exits with 1', async () => {
  const fleet = await prepareInstallation({ STOP_SECONDS: '1' });
  const postgres = await createFaultProxy(fleet.databaseUrl);
  const api = await fleet.start('api', { DATABASE_URL: postgres.url });
  postgres.stall();
  api.kill('SIGINT');
  const said = api.wrote(/"level":50.*STOP_SECONDS are over/);
  expect(await api.ended).toEqual({ code: 1, signal: null });
  await said;
});

test('a watcher over WebSocket is told with 1001 to come back, and does not take the job for ended', async () => {
  const fleet = await prepareInstallation();
  const api = await fleet.start('api');
  const { id } = await create(fleet, api, 'comments', 'https://example.com/film');
  const closed = Promise.withResolvers<unknown>();
  const client = createClient({
    url: `${api.url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${fleet.adminKey}` },
    retryAttempts: 0,
    on: { closed: closed.resolve },
  });
  onTestFinished(() => client.dispose());
  const events = client.iterate({ query: print(JobProgressDocument), variables: { id } });
  await events.next();
  const end = expect(events.next()).rejects.toMatchObject({ code: 1001 });
  api.kill('SIGTERM');
  expect(await closed.promise).toMatchObject({ code: 1001 });
  await end;
  expect(await api.ended).toEqual(cleanly);
});

test('a watcher over server-sent events is cut, and does not take the job for ended', async () => {
  const fleet = await prepareInstallation();
  const api = await fleet.start('api');
  const { id } = await create(fleet, api, 'comments', 'https://example.com/film');
  const { body } = await post(
    fleet,
    api,
    { query: 'subscription ($id: ID!) { jobProgress(id: $id) { status } }', variables: { id } },
    'text/event-stream',
  );
  if (body === null) throw new Error('the stream has no body');
  let text = '';
  const cut = (async () => {
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('PENDING')) api.kill('SIGTERM');
    }
  })();
  await expect(cut).rejects.toThrow('terminated');
  expect(text).not.toContain('event: complete');
  expect(await api.ended).toEqual(cleanly);
});

test('a running built-in job is handed back and completed by another worker, at no cost of an attempt', async () => {
  const files = await startFileServer();
  const fleet = await prepareInstallation({ OUTBOUND_ALLOW: '127.0.0.1' });
  const [api, first] = await Promise.all([fleet.start('api'), fleet.start('worker')]);
  const { id, uuid } = await create(fleet, api, 'download', files.url('film.txt'));
  const watch = watchJob(api.url, fleet.adminKey, id);
  await files.held(1);
  first.kill('SIGTERM');
  expect(await first.ended).toEqual(cleanly);
  await watch.until(({ status, version }) => status === 'PENDING' && version > 1);
  files.release();
  const second = await fleet.start('worker');

  expect(await watch.end()).toMatchObject({ status: 'COMPLETED' });
  const attempts = await fleet.query(
    `SELECT split_part(worker_id, '/', -1)::int AS pid, outcome, error_code
     FROM job_attempt WHERE job_id = $1 ORDER BY number`,
    [uuid],
  );
  expect(attempts).toEqual([
    { pid: first.pid, outcome: 'RELEASED', error_code: null },
    { pid: second.pid, outcome: 'COMPLETED', error_code: null },
  ]);
  expect(await fleet.query('SELECT failed_attempts FROM job')).toEqual([{ failed_attempts: 0 }]);
  const stored = await readdir(join(fleet.folder, 'artifacts'), { recursive: true });
  expect(stored.filter((name) => name.endsWith('.part'))).toEqual([]);
});

async function create(
  { adminKey }: Installation,
  { url }: ReadyProcess,
  type: string,
  sourceUrl: string,
): Promise<{ id: string; uuid: string }> {
  const { createJob } = await ask(url, adminKey, CreateJobDocument, { input: { type, input: { sourceUrl } } });
  if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
  return createJob.job;
}

function post({ adminKey }: Installation, { url }: ReadyProcess, body: object, accept = 'application/json') {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
  });
}
