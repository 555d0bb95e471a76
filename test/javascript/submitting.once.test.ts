import { z } from 'zod';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  AlreadyFinishedError, createClient, InsufficientCreditsError, JobCancelled, JobFailed, LonghaulError, NotFoundError, NotRetryableError,
  UnauthenticatedError, ValidationError,
} from '../../clients/js/src/index.ts';
import { eventually } from '../support/eventually.ts';
import { losingAnswers, packageUser, ways } from '../support/javascript-client.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { storedFile } from '../support/stored-file.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const input = { sourceUrl: 'https://example.com/a.mp4' };

test('run gives the output, with progress on the way', async () => {
  const { client, tenant } = await packageUser(longhaul);
  const told: unknown[] = [];
  const running = client.run('comments', input, { onProgress: ({ percentage, message }) => told.push([percentage, message]) });
  const [lease] = await tenant.claim({ types: ['comments'], waitSeconds: 20 });
  await tenant.report(lease?.token ?? '', { percentage: 50, message: 'half' });
  await eventually(() => expect(told).toEqual([[50, 'half']]));
  await tenant.complete(lease?.token ?? '', { words: 7 });
  expect(await running).toEqual({ words: 7 });
});

test('a job that failed or was cancelled is an error with its code and the job', async () => {
  const { client, tenant } = await packageUser(longhaul);
  const { job, token } = await tenant.running({ maxAttempts: 1 });
  await tenant.fail(token, { code: 'NO_SOUND', message: 'There is no sound.', retryable: false });
  const failed = await errorOf(client.handle(job.id).result());
  expect(failed).toBeInstanceOf(JobFailed);
  expect(failed).toMatchObject({ name: 'JobFailed', code: 'NO_SOUND', message: 'There is no sound.', retryable: false, job: { status: 'FAILED' } });

  const handle = await client.submit('comments', input);
  expect(await handle.cancel('no longer needed')).toMatchObject({ status: 'CANCELLED', creditsRefunded: 1 });
  const cancelled = await errorOf(handle.result());
  expect(cancelled).toBeInstanceOf(JobCancelled);
  expect(cancelled).toMatchObject({ code: 'CANCELLED', message: 'The job was cancelled: no longer needed' });
  expect(await errorOf(handle.cancel())).toBeInstanceOf(AlreadyFinishedError);

  const again = await handle.retry();
  expect(await again.job()).toMatchObject({ status: 'PENDING', type: 'comments' });
  expect(await errorOf(again.retry())).toBeInstanceOf(NotRetryableError);
});

test('every refusal is an error of its class, which says what is wrong where', async () => {
  const { client, workspace } = await packageUser(longhaul);
  const invalid = await errorOf(client.submit('comments', { sourceUrl: 7 }));
  expect(invalid).toBeInstanceOf(ValidationError);
  expect(invalid).toMatchObject({ code: 'VALIDATION_ERROR', retryable: false, issues: [{ path: ['input', 'sourceUrl'], message: expect.any(String) }] });
  expect(await errorOf(client.handle('job_nothing').job())).toBeInstanceOf(NotFoundError);
  expect(await errorOf(client.handle('job_nothing').result())).toBeInstanceOf(NotFoundError);
  expect(await errorOf(client.query('{ nothing }'))).toMatchObject({ name: 'LonghaulError', code: 'BAD_USER_INPUT' });

  const stranger = createClient({ url: longhaul.url, auth: 'lh_wrong' });
  expect(await errorOf(stranger.submit('comments', input))).toBeInstanceOf(UnauthenticatedError);
  expect(await errorOf(stranger.handle('job_nothing').result())).toBeInstanceOf(UnauthenticatedError);
  const poor = await longhaul.workspace({ credits: 0 });
  const short = await errorOf(createClient({ url: longhaul.url, auth: await poor.key() }).submit('comments', input));
  expect(short).toBeInstanceOf(InsufficientCreditsError);
  expect(short.failure).toMatchObject({ required: 1, available: 0 });
  const reader = createClient({ url: longhaul.url, auth: await workspace.key({ scopes: ['READ'] }) });
  expect(await errorOf(reader.submit('comments', input))).toMatchObject({ name: 'ForbiddenError' });
});

test('an input that is no JSON is refused at once, and not taken for a broken connection', async () => {
  const { client, requests } = await packageUser(longhaul);
  await expect(client.submit('comments', { ...input, pages: 10n })).rejects.toThrow(TypeError);
  expect(requests).toEqual([]);
});

test.for(ways)('a key that no header takes, such as lh_… of a manual, is told at once, over $over too', async ({ options }) => {
  const { client } = await packageUser(longhaul, { ...options, auth: 'lh_…' });
  await expect(client.submit('comments', input)).rejects.toThrow(TypeError);
  await expect(client.handle(crypto.randomUUID()).result()).rejects.toThrow();
});

test('a key that only writes submits, cancels and retries', async () => {
  const { workspace } = await packageUser(longhaul);
  const writer = createClient({ url: longhaul.url, auth: await workspace.key({ scopes: ['WRITE'] }) });
  const handle = await writer.submit('comments', input);
  expect((await handle.cancel()).status).toBe('CANCELLED');
  expect((await handle.retry()).id).not.toBe(handle.id);
});

test('lost answers make no second job, no second retry, and no error of a cancellation that was done', async () => {
  const { client, tenant, requests } = await packageUser(longhaul, { fetch: losingAnswers(/mutation/, 2) });
  const handle = await client.submit('comments', input);
  expect(requests).toHaveLength(3);
  expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(1);

  const other = await packageUser(longhaul, { fetch: losingAnswers(/cancelJob|retryJob/, 1) });
  const { id } = await other.client.submit('comments', input);
  expect((await other.client.handle(id).cancel()).status).toBe('CANCELLED');
  const again = await packageUser(longhaul, { auth: other.key, fetch: losingAnswers(/retryJob/, 1) });
  await again.client.handle(id).retry();
  expect(await other.tenant.count('FROM job WHERE workspace_id = $1')).toBe(2);

  const many = await packageUser(longhaul, { fetch: losingAnswers(/createJobs/, 1) });
  await many.client.submitMany([{ type: 'comments', input }, { type: 'comments', input }]);
  expect(await many.tenant.count('FROM job WHERE workspace_id = $1')).toBe(2);
  await handle.cancel();
});

test('an answer that a proxy gives in place of the server is tried again', async () => {
  let refusals = 2;
  const fetcher: typeof fetch = (url, init) => (refusals-- > 0 ? Promise.resolve(new Response('<h1>Bad gateway</h1>', { status: 502 })) : fetch(url, init));
  const { client } = await packageUser(longhaul, { fetch: fetcher });
  expect((await client.submit('comments', input)).id).toMatch(/^job_/);
  const wrong = await packageUser(longhaul, { fetch: async () => new Response('<h1>Welcome</h1>') });
  expect(await errorOf(wrong.client.submit('comments', input))).toMatchObject({ code: 'NOT_LONGHAUL', retryable: false });
});

test('many jobs are created together, each thousand all or none', async () => {
  const { client, tenant, requests } = await packageUser(longhaul);
  const handles = await client.submitMany(Array.from({ length: 1_001 }, (_, n) => ({ type: 'comments', input, tags: [`n${n}`] })));
  expect(requests).toHaveLength(2);
  expect(new Set(handles.map(({ id }) => id)).size).toBe(1_001);
  expect(await handles[1_000]?.job()).toMatchObject({ tags: ['n1000'] });
  expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(1_001);
  const refused = await errorOf(client.submitMany([{ type: 'comments', input }, { type: 'comments', input: {} }]));
  expect(refused).toBeInstanceOf(ValidationError);
  expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(1_001);
});

test('a list goes over all its pages, or gives one', async () => {
  const { client, tenant } = await packageUser(longhaul);
  const jobs = await tenant.createAll(Array.from({ length: 7 }, (_, n) => ({ tags: [n % 2 === 0 ? 'even' : 'odd'] })));
  const even = jobs.filter((_, n) => n % 2 === 0).map(({ id }) => id);
  const list = client.jobs({ tags: ['even'] }, { pageSize: 3, order: 'OLDEST_FIRST' });
  expect((await Array.fromAsync(list)).map(({ uuid }) => uuid)).toEqual(even);
  expect((await Array.fromAsync(list.pages())).map((page) => page.jobs.length)).toEqual([3, 1]);
  const first = await list.page();
  expect(first.jobs.map(({ uuid }) => uuid)).toEqual(even.slice(0, 3));
  expect(await list.page({ after: first.next })).toMatchObject({ jobs: [{ uuid: even[3] }], next: null });
  expect(await list.count()).toEqual({ value: 4, exact: true });
});

test('schemas say what inputs and outputs are, and stop a wrong input before it is sent', async () => {
  const { key, requests } = await packageUser(longhaul);
  const types = { comments: { input: z.object({ sourceUrl: z.url() }), output: z.object({ lines: z.number() }) } };
  const typed = createClient({ url: longhaul.url, auth: key, types });
  const wrong = await errorOf(typed.submit('comments', { sourceUrl: 'nowhere' }));
  expect(wrong).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: ['input', 'sourceUrl'], message: 'Invalid URL' }] });
  expect(requests).toHaveLength(0);
  const handle = await typed.submit('comments', input);
  const result: Promise<{ lines: number }> = handle.result();
  await handle.cancel();
  expect(await errorOf(result)).toBeInstanceOf(JobCancelled);
  // @ts-expect-error a type that no schema is of
  await errorOf(typed.submit('nothing', {}));
  const declared = createClient<{ comments: { input: { sourceUrl: string }; output: string } }>({ url: longhaul.url, auth: key });
  // @ts-expect-error an input that the type does not take
  await errorOf(declared.submit('comments', { sourceUrl: 7 }));
});

test('a token for a browser watches its job and no other', async () => {
  const { client, tenant } = await packageUser(longhaul);
  const handle = await client.submit('comments', input, { tags: ['customer-7'] });
  const other = await tenant.create();
  const { token, expiresAt } = await handle.browserToken({ ttlSeconds: 60 });
  expect(new Date(expiresAt).getTime() - Date.now()).toBeLessThanOrEqual(60_000);
  const page = createClient({ url: longhaul.url, auth: token });
  expect(await page.handle(handle.id).job()).toMatchObject({ status: 'PENDING' });
  expect(await errorOf(page.handle(other.id).result())).toBeInstanceOf(NotFoundError);
  const tagged = await client.browserToken({ tag: 'customer-7', scopes: ['READ', 'WRITE'] });
  const writes = await createClient({ url: longhaul.url, auth: tagged.token }).submit('comments', input);
  expect(await client.handle(writes.id).job()).toMatchObject({ tags: ['customer-7'] });
});

test('a result file is downloaded whole, also where its connection breaks on the way', async () => {
  const { tenant, key } = await packageUser(longhaul);
  const content = 'a film '.repeat(50_000);
  const { job, token } = await tenant.running();
  await tenant.complete(token, {}, [
    await storedFile(longhaul, tenant.id, { content, filename: 'film.mp4' }),
    await storedFile(longhaul, tenant.id, { name: 'thumbnail', content: 'small', filename: 'small.png', mediaType: 'image/png' }),
  ]);
  let breaks = 2;
  const { client } = await packageUser(longhaul, {
    auth: key,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (!String(url).includes('/artifacts/') || breaks === 0) return response;
      breaks -= 1;
      const bytes = new Uint8Array(await response.arrayBuffer());
      let sent = false;
      return new Response(new ReadableStream({
        pull: (controller) => {
          if (sent) controller.error(new TypeError('broken'));
          else controller.enqueue(bytes.slice(0, 100_000));
          sent = true;
        },
      }), response);
    },
  });
  const told: number[] = [];
  const film = await client.download(client.handle(job.id), { onProgress: ({ done }) => told.push(done) });
  expect(film).toMatchObject({ filename: 'film.mp4', mediaType: 'video/mp4', bytes: content.length });
  expect(await (await film.blob()).text()).toBe(content);
  expect(told.at(-1)).toBe(content.length);
  expect(breaks).toBe(0);
  expect(await (await (await client.download(job.id, { name: 'thumbnail' })).blob()).text()).toBe('small');
  expect(await errorOf(client.download(job.id, { name: 'nothing' }))).toBeInstanceOf(NotFoundError);
});

/** What it rejects with, which must be one of the package's. */
async function errorOf(promise: Promise<unknown>): Promise<LonghaulError> {
  const outcome = await promise.catch((error: unknown) => error);
  if (!(outcome instanceof LonghaulError)) throw new Error('It did not fail as the package does.', { cause: outcome });
  return outcome;
}
