import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { codeIn, codeOf, newUpload, offsetOf, patch, readUpload, sha256Of, SlowSender, tus, UploadWatch } from '../support/uploads.ts';

const maxBytes = 300_000;
const quotaBytes = 1_000_000;

let longhaul: Longhaul;
let key: string;
let watch: UploadWatch;
beforeAll(async () => {
  longhaul = await startLonghaul({ MAX_ARTIFACT_BYTES: String(maxBytes), UPLOAD_QUOTA_BYTES: String(quotaBytes) });
});
// With a quota of its own.
beforeEach(async () => {
  const workspace = await longhaul.workspace();
  key = await workspace.key();
  watch = UploadWatch.of(longhaul, workspace);
});
afterAll(() => longhaul.stop());

const content = randomBytes(200_000);
const sha256 = sha256Of(content);

describe('F1: one PUT', () => {
  test('sends a file of known size and checksum', async () => {
    const upload = await newUpload(longhaul, key, { bytes: content.length, sha256 });
    const response = await fetch(upload.url, { method: 'PUT', body: content });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ upload: { id: upload.id, bytes: content.length, sha256, complete: true } });
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ receivedBytes: content.length, sha256, complete: true });
    expect(await watch.filesOf(upload)).toEqual([upload.uuid]);
  });

  test('sends a file of which nothing is known, its type neither', async () => {
    const upload = await newUpload(longhaul, key);
    const sender = new SlowSender(upload.url, { method: 'PUT' });
    await sender.send(content.subarray(0, 1_000));
    await sender.send(content.subarray(1_000));
    sender.end();
    expect((await sender.answered).statusCode).toBe(200);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ bytes: content.length, receivedBytes: content.length, sha256, complete: true });
  });

  test('sends an empty file', async () => {
    const upload = await newUpload(longhaul, key);
    expect((await fetch(upload.url, { method: 'PUT', body: '' })).status).toBe(200);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ receivedBytes: 0, complete: true, sha256: sha256Of(Buffer.alloc(0)) });
  });

  test('may be repeated after a lost answer, and with another content may not', async () => {
    const upload = await newUpload(longhaul, key);
    for (let time = 0; time < 2; time += 1) expect((await fetch(upload.url, { method: 'PUT', body: content })).status).toBe(200);
    const other = await fetch(upload.url, { method: 'PUT', body: 'other' });
    expect([other.status, await codeOf(other)]).toEqual([409, 'ALREADY_COMPLETE']);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ sha256 });
  });

  test('that was cut is repeated from the beginning, or gone on with', async () => {
    const upload = await newUpload(longhaul, key, { bytes: content.length });
    for (let time = 0; time < 2; time += 1) {
      const sender = new SlowSender(upload.url, { method: 'PUT', length: content.length });
      await sender.send(content.subarray(0, 50_000 - time));
      await watch.underWay(upload);
      await watch.written(upload, 50_000 - time);
      sender.cut();
      await watch.received(upload, 50_000 - time);
    }
    expect(await offsetOf(upload.url)).toBe(49_999);
    expect((await patch(upload.url, 49_999, content.subarray(49_999))).status).toBe(204);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ sha256, complete: true });
  });

  test('that was cut fixes no size, of which nothing was announced', async () => {
    const upload = await newUpload(longhaul, key);
    const sender = new SlowSender(upload.url, { method: 'PUT', length: content.length });
    await sender.send(content.subarray(0, 50_000));
    await watch.underWay(upload);
    await watch.written(upload, 50_000);
    sender.cut();
    await watch.received(upload, 50_000);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ bytes: null });
    const other = content.subarray(0, 10_000);
    expect((await fetch(upload.url, { method: 'PUT', body: other })).status).toBe(200);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ bytes: 10_000, sha256: sha256Of(other), complete: true });
  });

  test('of a complete file is read no further than it can be the same', async () => {
    const upload = await newUpload(longhaul, key);
    expect((await fetch(upload.url, { method: 'PUT', body: content })).status).toBe(200);
    const announced = new SlowSender(upload.url, { method: 'PUT', length: content.length + 1 });
    await announced.send(content.subarray(0, 1));
    const chunked = new SlowSender(upload.url, { method: 'PUT' });
    await chunked.send(content);
    await chunked.send(content.subarray(0, 1));
    // Neither ends its body before the answer.
    for (const sender of [announced, chunked]) {
      const answer = await sender.answered;
      expect([answer.statusCode, await codeIn(answer)]).toEqual([409, 'ALREADY_COMPLETE']);
      sender.cut();
    }
  });

  test('that is refused is cut off if it goes on and on', async () => {
    const { url } = await newUpload(longhaul, key);
    const sender = new SlowSender(url.slice(0, -2), { method: 'PUT' });
    await sender.send(content);
    expect((await sender.answered).statusCode).toBe(403);
    const goingOn = async () => {
      for (;;) await sender.send(content);
    };
    await expect(goingOn()).rejects.toThrow(/^write /);
  });

  test.each<[string, Record<string, string>]>([
    ['a range', { 'content-range': 'bytes 0-2/10' }],
    ['the end of the file', { 'content-range': 'bytes 7-9/10' }],
    ['an offset', { 'upload-offset': '7' }],
  ])('of a part, %s, is not taken for the whole file', async (_what, headers) => {
    const upload = await newUpload(longhaul, key);
    const response = await fetch(upload.url, { method: 'PUT', headers, body: 'abc' });
    expect([response.status, await codeOf(response)]).toEqual([400, 'BAD_USER_INPUT']);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ receivedBytes: 0, complete: false });
  });

  test('of another size than was announced is refused', async () => {
    const upload = await newUpload(longhaul, key, { bytes: 10 });
    const short = await fetch(upload.url, { method: 'PUT', body: '123' });
    expect([short.status, await codeOf(short)]).toEqual([400, 'BAD_USER_INPUT']);
    const long = await fetch(upload.url, { method: 'PUT', body: '12345678901' });
    expect([long.status, await codeOf(long)]).toEqual([400, 'BAD_USER_INPUT']);
  });
});

describe('the quota', () => {
  test('cuts an upload of unknown size that would exceed it, and is free again when that is removed', async () => {
    const other = await longhaul.workspace();
    const theirs = await other.key();
    for (let n = 0; n < 3; n += 1) await newUpload(longhaul, theirs, { bytes: maxBytes });
    const upload = await newUpload(longhaul, theirs);
    const response = await fetch(upload.url, { method: 'PUT', body: content });
    expect([response.status, await codeOf(response)]).toEqual([413, 'QUOTA_EXCEEDED']);
    const whole = new SlowSender(upload.url, { method: 'PUT' });
    await whole.send(content);
    whole.end();
    const cut = await whole.answered;
    expect([cut.statusCode, await codeIn(cut)]).toEqual([413, 'QUOTA_EXCEEDED']);
    // It cannot be gone on with, so it does not count.
    await expect.poll(() => UploadWatch.of(longhaul, other).filesOf(upload)).toEqual([]);
    await tus((await newUpload(longhaul, theirs, { bytes: quotaBytes - 3 * maxBytes })).url, 'DELETE');
    const sender = new SlowSender(upload.url);
    await sender.send(content);
    sender.end();
    const answer = await sender.answered;
    expect([answer.statusCode, await codeIn(answer)]).toEqual([413, 'QUOTA_EXCEEDED']);
    await tus(upload.url, 'DELETE');
    expect(await UploadWatch.of(longhaul, other).filesOf(upload)).toEqual([]);
    await newUpload(longhaul, theirs, { bytes: quotaBytes - 3 * maxBytes });
  });

  test('lets several of unknown size in at the same time that fit together', async () => {
    const theirs = await (await longhaul.workspace()).key();
    await newUpload(longhaul, theirs, { bytes: maxBytes });
    await newUpload(longhaul, theirs, { bytes: maxBytes });
    // 400,000 are left.
    const sizes = [150_000, 120_000, 55_000];
    const uploads = await Promise.all(sizes.map(() => newUpload(longhaul, theirs)));
    const senders = uploads.map(({ url }) => new SlowSender(url, { method: 'PUT' }));
    for (const [place, sender] of senders.entries()) {
      await sender.send(content.subarray(0, 50_000));
      await watch.underWay(uploads[place] ?? { uuid: '' });
    }
    for (const [place, sender] of senders.entries()) {
      await sender.send(content.subarray(50_000, sizes[place]));
      sender.end();
    }
    expect((await Promise.all(senders.map(({ answered }) => answered))).map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
  });

  test('takes no more of an upload of unknown size than there is of it', async () => {
    const other = await longhaul.workspace();
    const theirs = await other.key();
    const upload = await newUpload(longhaul, theirs);
    const sender = new SlowSender(upload.url);
    await sender.send(content);
    sender.end();
    expect((await sender.answered).statusCode).toBe(204);
    for (let n = 0; n < 2; n += 1) await newUpload(longhaul, theirs, { bytes: maxBytes });
  });
});
