import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AbortError, type Job, TimeoutError } from '../../clients/js/src/index.ts';
import { eventually } from '../support/eventually.ts';
import { type PackageUser, packageUser, ways } from '../support/javascript-client.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const input = { sourceUrl: 'https://example.com/a.mp4' };

test('a signal that was aborted before sends nothing', async () => {
  const { client, requests } = await packageUser(longhaul);
  const signal = AbortSignal.abort(new Error('too late'));
  const calls = [
    () => client.submit('comments', input, { signal }),
    () => client.run('comments', input, { signal }),
    () => client.submitMany([{ type: 'comments', input }], { signal }),
    () => client.jobs({}, { signal }).page(),
    () => client.handle('job_1').result({ signal }),
    () => client.handle('job_1').cancel('enough', { signal }),
    () => Array.fromAsync(client.handle('job_1').updates({ signal })),
    () => Array.fromAsync(client.handle('job_1').logs({ signal })),
    () => Array.fromAsync(client.updates({}, null, { signal })),
    () => client.upload(new Blob(['a']), { signal }),
    () => client.download('job_1', { signal }),
  ];
  for (const call of calls) {
    const error = await call().then(() => null, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORTED', cause: { message: 'too late' } });
  }
  expect(requests).toHaveLength(0);
});

test.each(ways)('a signal ends a wait over $over at once, the job goes on, and nothing listens to the signal any more', async ({ options }) => {
  const { client, tenant } = await packageUser(longhaul, options);
  const controller = new AbortController();
  const handle = await client.submit('comments', input, { signal: controller.signal });
  const seen: Job[] = [];
  const watching = (async () => {
    for await (const job of handle.updates()) seen.push(job);
  })();
  const waiting = handle.result();
  await eventually(() => expect(seen).toHaveLength(1));
  expect(getEventListeners(controller.signal, 'abort').length).toBeGreaterThan(0);
  controller.abort();
  await expect(watching).rejects.toThrow(AbortError);
  await expect(waiting).rejects.toThrow(AbortError);
  await expect(handle.result()).rejects.toThrow(AbortError);
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  expect((await tenant.read(handle.id.replace('job_', ''))).status).toBe('PENDING');
});

test('a loop that ends by itself, or is left, leaves no listener on its signal', async () => {
  const { client, tenant } = await packageUser(longhaul);
  const { signal } = new AbortController();
  const { id } = await tenant.create();
  for await (const { status } of client.handle(id, { signal, onAbort: 'cancel' }).updates()) if (status === 'PENDING') break;
  const handle = client.handle(id, { signal });
  for await (const { status } of handle.updates({ signal })) if (status === 'PENDING') await handle.cancel();
  for await (const { status } of client.jobs({}, { signal })) if (status === 'CANCELLED') break;
  await handle.job({ signal });
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  const guarded = client.handle(id, { signal, onAbort: 'cancel' });
  await expect(guarded.result()).rejects.toThrow('cancelled');
  // Of the first handle, which was left before its job's end, and would cancel it.
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
});

test("with onAbort: 'cancel' a signal cancels the job: while it is watched, while nobody watches, and while it is created", async () => {
  const { client, tenant } = await packageUser(longhaul);
  const watched = new AbortController();
  const running = client.run('comments', input, { signal: watched.signal, onAbort: 'cancel', tags: ['watched'] });
  await eventually(async () => expect(await tenant.count("FROM job WHERE workspace_id = $1 AND tags @> '{watched}'")).toBe(1));
  watched.abort();
  await expect(running).rejects.toThrow(AbortError);

  const alone = new AbortController();
  const handle = await client.submit('comments', input, { signal: alone.signal, onAbort: 'cancel' });
  alone.abort();
  await expect(handle.result()).rejects.toThrow(AbortError);

  const here = await client.submit('comments', input);
  await expect(here.result({ timeout: 50, onAbort: 'cancel' })).rejects.toThrow(TimeoutError);
  await eventually(async () => expect(await statuses({ tenant })).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED']));

  const early = new AbortController();
  const held = Promise.withResolvers<void>();
  const slow = await packageUser(longhaul, {
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (String(init?.body).includes('createJob')) {
        early.abort();
        await held.promise;
      }
      return response;
    },
  });
  await expect(slow.client.submit('comments', input, { signal: early.signal, onAbort: 'cancel' })).rejects.toThrow(AbortError);
  held.resolve();
  await eventually(async () => expect(await statuses(slow)).toEqual(['CANCELLED']));
});

test('a timeout holds from the call on, over all that is done with its handle', async () => {
  const { client } = await packageUser(longhaul);
  // For the submission, too, on a busy machine.
  const handle = await client.submit('comments', input, { timeout: 3_000 });
  const error = await handle.result().then(() => null, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error).toMatchObject({ name: 'TimeoutError', code: 'TIMED_OUT' });
  await expect(Array.fromAsync(handle.updates())).rejects.toThrow(TimeoutError);
  // Of the calls that end a job, none is held back by it.
  expect((await handle.cancel()).status).toBe('CANCELLED');
});

async function statuses({ tenant }: Pick<PackageUser, 'tenant'>): Promise<string[]> {
  const rows = await longhaul.services.database.hot.query<{ status: string }>('SELECT status FROM job WHERE workspace_id = $1', [tenant.id]);
  return rows.map(({ status }) => status);
}
