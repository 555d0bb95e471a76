import { afterAll, expect, onTestFinished, test } from 'vitest';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { startLonghaul } from '../support/longhaul.ts';
import { mountSmallVolume } from '../support/small-volume.ts';
import { linkToFile } from '../support/stored-file.ts';
import { askForUpload, codeIn, codeOf, newUpload, offsetOf, patch, readUpload, sha256Of, SlowSender, tus } from '../support/uploads.ts';

const megabyte = 1024 ** 2;
const volume = mountSmallVolume(8 * megabyte);
afterAll(() => volume?.unmount());

test.skipIf(volume === null)('a full disk cuts uploads under way, refuses others before they start, and both go on when there is room; nothing else is hurt', async () => {
  if (volume === null) return;
  const longhaul = await startLonghaul({ ARTIFACTS_DIR: volume.dir });
  onTestFinished(() => longhaul.stop());
  const workspace = await longhaul.workspace();
  const tenant = Tenant.of(longhaul, workspace.id);
  const key = await workspace.key();
  const isFull = (expected: boolean) => eventually(async () => expect(longhaul.services.room.isFull).toBe(expected));

  const link = await linkToFile(longhaul, tenant);
  const attempt = await tenant.running();
  const result = await newUpload(longhaul, key, { token: attempt.token });
  expect((await fetch(result.url, { method: 'PUT', body: 'a film' })).status).toBe(200);
  const content = Buffer.alloc(3 * megabyte, 'film');
  const upload = await newUpload(longhaul, key, { bytes: content.length, sha256: sha256Of(content) });

  // In the middle of a file: there is room for one more megabyte, and two are to come.
  const sender = new SlowSender(upload.url, { length: content.length });
  await sender.send(content.subarray(0, megabyte));
  volume.fill(2.25 * megabyte);
  await sender.send(content.subarray(megabyte)).catch(() => undefined);
  sender.end();
  const cut = await sender.answered;
  expect([cut.statusCode, await codeIn(cut)]).toEqual([507, 'INSUFFICIENT_STORAGE']);
  await isFull(true);
  const kept = await offsetOf(upload.url);
  expect(kept).toBeGreaterThanOrEqual(megabyte);

  // Before they start.
  expect(await askForUpload(longhaul, key, { filename: 'b.mp4' })).toMatchObject({ code: 'INSUFFICIENT_STORAGE' });
  const refused = await patch(upload.url, kept, content.subarray(kept));
  expect([refused.status, await codeOf(refused)]).toEqual([507, 'INSUFFICIENT_STORAGE']);
  expect(await offsetOf(upload.url)).toBe(kept);

  // What writes nothing goes on: files are read, jobs are created, and an attempt completes with what it has sent.
  expect(await (await fetch(link)).text()).toBe('a film');
  const completion = `mutation { completeJob(input: { token: "${attempt.token}", artifacts: [{ uploadId: "${result.id}" }] }) {
    ... on CompleteJobPayload { job { status artifacts { bytes } } } } }`;
  const { data } = await longhaul.graphql(completion, {}, key);
  expect(data).toEqual({ completeJob: { job: { status: 'COMPLETED', artifacts: [{ bytes: 6 }] } } });
  expect((await tenant.running()).job).toMatchObject({ status: 'RUNNING', attempt: 1 });

  volume.empty();
  await isFull(false);
  expect((await patch(upload.url, kept, content.subarray(kept))).status).toBe(204);
  expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ complete: true, sha256: sha256Of(content) });
  expect((await tus(upload.url, 'DELETE')).status).toBe(204);
  // There is room, but not for this.
  expect(await askForUpload(longhaul, key, { filename: 'c.mp4', bytes: 20 * megabyte })).toMatchObject({ code: 'INSUFFICIENT_STORAGE' });

  // It only reads, whatever room it has.
  const other = await newUpload(longhaul, await (await longhaul.workspace()).key());
  volume.setReadOnly(true);
  const unwritable = await fetch(other.url, { method: 'PUT', body: 'a film' });
  expect([unwritable.status, await codeOf(unwritable)]).toEqual([507, 'INSUFFICIENT_STORAGE']);
  expect(await (await fetch(link)).text()).toBe('a film');
  volume.setReadOnly(false);
  await isFull(false);
  expect((await fetch(other.url, { method: 'PUT', body: 'a film' })).status).toBe(200);
}, 120_000);
