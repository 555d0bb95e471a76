import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CreateJobDocument, JobDocument, JobProgressDocument } from '../graphql/generated/graphql.ts';
import { ask, rest, watchSocket } from '../support/client.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { openRangeSource } from '../support/range-source.ts';
import { openS3Proxy } from '../support/s3-proxy.ts';
import { type S3Server, startS3rver } from '../support/s3-servers.ts';
import { codeOf, newUpload, offsetOf, patch, readUpload, sha256Of, SlowSender } from '../support/uploads.ts';

let server: S3Server;
beforeAll(async () => {
  server = await startS3rver();
});
afterAll(() => server.close());

/** A Longhaul whose files are in a bucket of its own prefix. */
async function start(env: Record<string, string> = {}): Promise<Longhaul> {
  const { endpoint, accessKeyId, secretAccessKey } = server.settings;
  const bucket = { ARTIFACTS_URL: `s3://files/${uuid()}`, AWS_ENDPOINT_URL: endpoint ?? '', AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const longhaul = await startLonghaul({ ROLE: 'all', OUTBOUND_ALLOW: 'localhost', ...bucket, ...env });
  onTestFinished(() => longhaul.stop());
  return longhaul;
}

async function filesIn({ services }: Longhaul): Promise<string[]> {
  return (await Array.fromAsync(services.store.list(), ({ ids }) => ids)).flat();
}

/** Runs a job to its end, and resolves to its download link. */
async function linkOf(longhaul: Longhaul, type: string, input: Record<string, unknown>): Promise<string> {
  const key = await (await longhaul.workspace()).key();
  const { createJob } = await ask(longhaul.url, key, CreateJobDocument, { input: { type, input } });
  if (createJob === null || 'code' in createJob) throw new Error(`refused: ${JSON.stringify(createJob)}`);
  const { id } = createJob.job;
  await rest(watchSocket(longhaul.url, key, JobProgressDocument, { id }));
  const { job } = await ask(longhaul.url, key, JobDocument, { id });
  expect(job).toMatchObject({ status: 'COMPLETED' });
  return job?.downloadUrl ?? '';
}

test('a job’s file is in the bucket and comes from its link, whole and in ranges, until it expires', async () => {
  const longhaul = await start();
  const link = await linkOf(longhaul, 'demo', { seconds: 0 });
  const whole = await fetch(link);
  expect(whole.headers.get('content-disposition')).toBe('attachment; filename=demo.txt');
  expect(whole.headers.get('content-type')).toBe('text/plain');
  expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
  const body = await whole.text();
  expect(body).toMatch(/^Made by the demo job /);
  const part = await fetch(link, { headers: { range: 'bytes=8-14' } });
  expect([part.status, await part.text()]).toEqual([206, body.slice(8, 15)]);
  const head = await fetch(link, { method: 'HEAD' });
  expect(head.headers.get('content-length')).toBe(String(body.length));
  expect(await filesIn(longhaul)).toHaveLength(1);
  expect(await readdir(longhaul.shared['ARTIFACTS_DIR'] ?? '').catch(() => [])).toEqual([]);

  await longhaul.sweeper.sweepOrphans();
  expect(await filesIn(longhaul)).toHaveLength(1);
  await longhaul.services.database.hot.query(`UPDATE artifact SET expires_at = now() - interval '1 s'`);
  await longhaul.sweeper.keepHouse();
  expect((await fetch(link)).status).toBe(404);
  expect(await filesIn(longhaul)).toEqual([]);
});

test('a large file is downloaded into the bucket in parts, and nothing beside it is left', async () => {
  const longhaul = await start();
  const content: Buffer = randomBytes(20 * 1024 ** 2);
  const source = await openRangeSource({ content, headers: { etag: '"one"' } });
  const link = await linkOf(longhaul, 'download', { sourceUrl: source.url });
  expect(Buffer.from(await (await fetch(link)).arrayBuffer()).equals(content)).toBe(true);
  expect(await filesIn(longhaul)).toHaveLength(1);
});

test('an upload that is cut, and sent on with what is missing, is the source of a job; its parts are nobody’s business', async () => {
  const longhaul = await start();
  const tenant = await longhaul.workspace();
  const key = await tenant.key();
  const content = randomBytes(18 * 1024 ** 2);
  const upload = await newUpload(longhaul, key, { bytes: content.length });
  const sender = new SlowSender(upload.url);
  await sender.send(content.subarray(0, 10 * 1024 ** 2 + 77));
  await expect.poll(async () => (await readUpload(longhaul, key, upload.id))?.['receivedBytes'], { timeout: 10_000 }).toBe(8 * 1024 ** 2);
  sender.cut();
  await expect.poll(() => offsetOf(upload.url), { timeout: 10_000 }).toBe(10 * 1024 ** 2 + 77);
  expect((await patch(upload.url, 10 * 1024 ** 2 + 77, content.subarray(10 * 1024 ** 2 + 77))).status).toBe(204);
  expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ complete: true, sha256: sha256Of(content) });
  await longhaul.sweeper.sweepOrphans();
  const job = await Tenant.of(longhaul, tenant.id).create({ type: 'fingerprint', input: { sourceUrl: `upload:${upload.id}` } });
  await expect.poll(async () => (await Tenant.of(longhaul, tenant.id).read(job.id))?.status, { timeout: 20_000 }).toBe('COMPLETED');
  expect(await Tenant.of(longhaul, tenant.id).read(job.id)).toMatchObject({ output: { sha256: sha256Of(content) } });
  expect(await filesIn(longhaul)).toEqual([upload.uuid]);
}, 60_000);

test('links are redirected to the bucket where that is wanted, with the same headers', async () => {
  const longhaul = await start({ ARTIFACTS_REDIRECT: 'true' });
  const link = await linkOf(longhaul, 'demo', { seconds: 0, file: 'image' });
  const answer = await fetch(link, { redirect: 'manual' });
  expect(answer.status).toBe(302);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const target = new URL(answer.headers.get('location') ?? '');
  expect(target.origin).toBe(server.settings.endpoint);
  expect(Number(target.searchParams.get('X-Amz-Expires'))).toBe(3_600);
  const image = await fetch(link);
  expect(image.headers.get('content-disposition')).toBe('attachment; filename=demo.png');
  expect(image.headers.get('content-type')).toBe('image/png');
  expect(Number(image.headers.get('content-length'))).toBe((await image.arrayBuffer()).byteLength);
});

test('what nobody names goes from the bucket with the sweep, begun uploads too', async () => {
  const longhaul = await start();
  const { store } = longhaul.services;
  // The sweep that the start began is over before a file is made.
  await longhaul.sweeper.sweepOrphans();
  const { id: workspaceId } = await longhaul.workspace();
  const bytes = { small: 100, large: 9 * 1024 ** 2 };
  for (const size of Object.values(bytes)) {
    async function* source() {
      yield Buffer.alloc(size);
    }
    await store.append({ workspaceId, id: uuid() }, null, source(), { signal: new AbortController().signal, maxBytes: size, onKept: () => {} });
  }
  expect(await filesIn(longhaul)).toHaveLength(2);
  await longhaul.sweeper.sweepOrphans();
  expect(await filesIn(longhaul)).toEqual([]);
});

test('while the bucket does not answer downloads and uploads are told to come again', async () => {
  const proxy = await openS3Proxy(server.settings.endpoint ?? '');
  const longhaul = await start({ AWS_ENDPOINT_URL: proxy.url });
  const link = await linkOf(longhaul, 'demo', { seconds: 0 });
  proxy.fateOf = () => ({ status: 503, code: 'SlowDown' });
  const answer = await fetch(link);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
  expect(await answer.json()).toMatchObject({ error: { code: 'UNAVAILABLE' } });
  const key = await (await longhaul.workspace()).key();
  const upload = await newUpload(longhaul, key, { bytes: 10 });
  const sent = await patch(upload.url, 0, Buffer.alloc(10));
  expect([sent.status, await codeOf(sent)]).toEqual([503, 'UNAVAILABLE']);
  proxy.fateOf = () => 'passes';
  expect((await fetch(link)).status).toBe(200);
  expect((await patch(upload.url, await offsetOf(upload.url), Buffer.alloc(10))).status).toBe(204);
}, 60_000);

test('a job whose file the bucket does not take is handed back, costs no attempt, and completes when the bucket is there again', async () => {
  const proxy = await openS3Proxy(server.settings.endpoint ?? '');
  const longhaul = await start({ AWS_ENDPOINT_URL: proxy.url });
  const tenant = await Tenant.in(longhaul);
  proxy.fateOf = (what) => (what.startsWith('PUT') ? { status: 507, code: 'InsufficientStorage' } : 'passes');
  const { id } = await tenant.create({ type: 'demo', input: { seconds: 0 }, maxAttempts: 1 });
  await expect.poll(() => tenant.read(id), { timeout: 20_000 }).toMatchObject({ status: 'PENDING', attempt: 1, failedAttempts: 0 });
  proxy.fateOf = () => 'passes';
  // It is taken again once the refusal has been a while ago.
  await expect.poll(() => tenant.read(id), { timeout: 30_000 }).toMatchObject({ status: 'COMPLETED', failedAttempts: 0 });
}, 90_000);

test('while the bucket does not answer an upload is told to come again, and goes on then', async () => {
  const proxy = await openS3Proxy(server.settings.endpoint ?? '');
  const longhaul = await start({ AWS_ENDPOINT_URL: proxy.url });
  const key = await (await longhaul.workspace()).key();
  const content = randomBytes(9 * 1024 ** 2);
  const upload = await newUpload(longhaul, key, { bytes: content.length });
  proxy.fateOf = () => ({ status: 503, code: 'SlowDown' });
  const answer = await patch(upload.url, 0, content);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
  proxy.fateOf = () => 'passes';
  const offset = await offsetOf(upload.url);
  expect((await patch(upload.url, offset, content.subarray(offset))).status).toBe(204);
  expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ complete: true, sha256: sha256Of(content) });
}, 60_000);

test('a start with a wrong key is refused with what to change', async () => {
  await expect(start({ AWS_SECRET_ACCESS_KEY: 'not-that-secret' })).rejects.toThrow(/AWS_SECRET_ACCESS_KEY is not that of AWS_ACCESS_KEY_ID/);
});
