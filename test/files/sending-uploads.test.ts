import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { endLease, sweep, Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { codeIn, codeOf, newUpload, offsetOf, patch, readUpload, sha256Of, SlowSender, tus, UploadWatch } from '../support/uploads.ts';

const maxBytes = 300_000;
const quotaBytes = 1_000_000;

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
let watch: UploadWatch;
beforeAll(async () => {
  longhaul = await startLonghaul({ MAX_ARTIFACT_BYTES: String(maxBytes), UPLOAD_QUOTA_BYTES: String(quotaBytes) });
});
// With a quota of its own.
beforeEach(async () => {
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
  watch = UploadWatch.of(longhaul, workspace);
});
afterAll(() => longhaul.stop());

const content = randomBytes(200_000);
const sha256 = sha256Of(content);

test('an upload of no bytes is complete at once', async () => {
  const upload = await newUpload(longhaul, key, { bytes: 0 });
  expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ complete: true, sha256: sha256Of(Buffer.alloc(0)) });
});

describe('F2: tus', () => {
  test('OPTIONS says what is spoken', async () => {
    const { url } = await newUpload(longhaul, key);
    const { status, headers } = await fetch(url, { method: 'OPTIONS' });
    expect(status).toBe(204);
    expect(Object.fromEntries(headers)).toMatchObject({
      'tus-version': '1.0.0',
      'tus-extension': 'checksum,creation-defer-length,expiration,termination',
      'tus-max-size': String(maxBytes),
      'tus-checksum-algorithm': 'sha1,sha256,sha512,md5',
    });
  });

  test('a file comes in pieces', async () => {
    const upload = await newUpload(longhaul, key, { bytes: content.length, sha256 });
    let head = await tus(upload.url, 'HEAD');
    expect(Object.fromEntries(head.headers)).toMatchObject({ 'upload-offset': '0', 'upload-length': String(content.length), 'cache-control': 'no-store' });
    for (let offset = 0; offset < content.length; offset += 90_000) {
      const { status, headers } = await patch(upload.url, offset, content.subarray(offset, offset + 90_000));
      expect([status, headers.get('upload-offset')]).toEqual([204, String(Math.min(offset + 90_000, content.length))]);
      expect(new Date(headers.get('upload-expires') ?? '').getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    }
    head = await tus(upload.url, 'HEAD');
    expect(head.headers.get('upload-offset')).toBe(String(content.length));
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ sha256, complete: true });
  });

  test('its size may come with the last piece', async () => {
    const upload = await newUpload(longhaul, key);
    const { headers } = await tus(upload.url, 'HEAD');
    expect([headers.get('upload-defer-length'), headers.get('upload-length')]).toEqual(['1', null]);
    expect((await patch(upload.url, 0, content.subarray(0, 90_000))).status).toBe(204);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ bytes: null, receivedBytes: 90_000, complete: false });
    expect((await patch(upload.url, 90_000, content.subarray(90_000), { 'upload-length': String(content.length) })).status).toBe(204);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ bytes: content.length, sha256, complete: true });
  });

  test('its size may come after all of it', async () => {
    const upload = await newUpload(longhaul, key);
    await patch(upload.url, 0, content);
    expect((await patch(upload.url, content.length, Buffer.alloc(0), { 'upload-length': String(content.length) })).status).toBe(204);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ sha256, complete: true });
  });

  test('another size than was announced is refused', async () => {
    const { url } = await newUpload(longhaul, key, { bytes: 10 });
    const response = await patch(url, 0, Buffer.from('123'), { 'upload-length': '11' });
    expect([response.status, await codeOf(response)]).toEqual([400, 'BAD_USER_INPUT']);
  });

  test.each(['sha1', 'sha256', 'sha512', 'md5'])('a piece is checked by %s, and one that is wrong does not count', async (algorithm) => {
    const upload = await newUpload(longhaul, key, { bytes: content.length });
    const checksumOf = (piece: Uint8Array) => ({ 'upload-checksum': `${algorithm} ${createHash(algorithm).update(piece).digest('base64')}` });
    const [first, second] = [content.subarray(0, 90_000), content.subarray(90_000)];
    expect((await patch(upload.url, 0, first, checksumOf(first))).status).toBe(204);
    const wrong = await patch(upload.url, 90_000, second, checksumOf(first));
    expect([wrong.status, await codeOf(wrong)]).toEqual([460, 'CHECKSUM_MISMATCH']);
    expect(await offsetOf(upload.url)).toBe(90_000);
    expect((await patch(upload.url, 90_000, second, checksumOf(second))).status).toBe(204);
    expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ sha256, complete: true });
  });

  test('nothing counts of a piece with a checksum that was cut', async () => {
    const upload = await newUpload(longhaul, key, { bytes: content.length });
    const sender = new SlowSender(upload.url, { length: content.length, headers: { 'upload-checksum': `sha1 ${createHash('sha1').update(content).digest('base64')}` } });
    await sender.send(content.subarray(0, 90_000));
    await watch.underWay(upload);
    sender.cut();
    expect(await offsetOf(upload.url)).toBe(0);
  });

  test('termination removes what there is', async () => {
    const upload = await newUpload(longhaul, key, { bytes: content.length });
    await patch(upload.url, 0, content.subarray(0, 1_000));
    expect(await watch.filesOf(upload)).toHaveLength(1);
    expect((await tus(upload.url, 'DELETE')).status).toBe(204);
    expect(await watch.filesOf(upload)).toEqual([]);
    const gone = await patch(upload.url, 1_000, content.subarray(1_000));
    expect([gone.status, await codeOf(gone)]).toEqual([404, 'NOT_FOUND']);
    expect((await tus(upload.url, 'DELETE')).status).toBe(404);
  });

  test('a client whose network lets no PATCH through sends POST', async () => {
    const upload = await newUpload(longhaul, key, { bytes: 3 });
    const headers = { 'x-http-method-override': 'PATCH', 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
    expect((await tus(upload.url, 'POST', headers, Buffer.from('abc'))).status).toBe(204);
    expect((await readUpload(longhaul, key, upload.id))?.['complete']).toBe(true);
  });

  test.each(['PUT', 'POST', 'OPTIONS', 'constructor'])('a POST cannot stand for %s', async (method) => {
    const upload = await newUpload(longhaul, key, { bytes: 3 });
    const headers = { 'x-http-method-override': method, 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
    const response = await tus(upload.url, 'POST', headers, Buffer.from('abc'));
    expect([response.status, await codeOf(response)]).toEqual([400, 'BAD_USER_INPUT']);
  });
});

describe('F6: what is refused', () => {
  const headers = { 'tus-resumable': '1.0.0', 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };

  test.each([
    ['a wrong offset', { 'upload-offset': '5' }, 409, 'OFFSET_CONFLICT'],
    ['another version of tus', { 'tus-resumable': '0.2.2' }, 412, 'PRECONDITION_FAILED'],
    ['another content type', { 'content-type': 'video/mp4' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a coded body', { 'content-encoding': 'gzip' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['an offset that is no number', { 'upload-offset': '-1' }, 400, 'BAD_USER_INPUT'],
    ['a checksum of an unknown kind', { 'upload-checksum': 'crc32 AAAA' }, 400, 'BAD_USER_INPUT'],
    ['a size beyond the limit', { 'upload-length': String(maxBytes + 1) }, 413, 'PAYLOAD_TOO_LARGE'],
  ])('%s', async (_what, changed, status, code) => {
    const { url } = await newUpload(longhaul, key);
    const response = await fetch(url, { method: 'PATCH', headers: { ...headers, ...changed }, body: 'abc' });
    expect([response.status, await codeOf(response)]).toEqual([status, code]);
    expect(await offsetOf(url)).toBe(0);
  });

  test('the right offset is told with a wrong one', async () => {
    const { url } = await newUpload(longhaul, key, { bytes: 10 });
    await patch(url, 0, Buffer.from('abc'));
    expect((await patch(url, 1, Buffer.from('abc'))).headers.get('upload-offset')).toBe('3');
  });

  test.each([
    ['a signature that is wrong', (url: string) => `${url.slice(0, -2)}xx`],
    ['no signature', (url: string) => url.split('?')[0] ?? ''],
    ["another upload's signature", (url: string) => url.replace(/uploads\/.{8}/, 'uploads/00000000')],
  ])('%s, before the body is read', async (_what, change) => {
    const { url } = await newUpload(longhaul, key);
    const response = await fetch(change(url), { method: 'PUT', body: content });
    expect([response.status, await codeOf(response)]).toEqual([403, 'FORBIDDEN']);
  });

  test('more than was announced, and it does not count', async () => {
    const upload = await newUpload(longhaul, key, { bytes: 10 });
    const declared = await patch(upload.url, 0, Buffer.alloc(11));
    expect([declared.status, await codeOf(declared)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    const sender = new SlowSender(upload.url);
    await sender.send(Buffer.alloc(11));
    sender.end();
    const answer = await sender.answered;
    expect([answer.statusCode, await codeIn(answer)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(await offsetOf(upload.url)).toBe(0);
  });

  test('more than a file may have', async () => {
    const upload = await newUpload(longhaul, key);
    const sender = new SlowSender(upload.url, { method: 'PUT' });
    await sender.send(content);
    await sender.send(content);
    sender.end();
    const answer = await sender.answered;
    expect([answer.statusCode, await codeIn(answer)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });

  test('other methods', async () => {
    const { url } = await newUpload(longhaul, key);
    const response = await fetch(url);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'HEAD, PATCH, DELETE, PUT, POST, OPTIONS']);
  });
});

test('F4: a file with another checksum than was announced is refused, and nothing is left of it', async () => {
  const upload = await newUpload(longhaul, key, { sha256: sha256Of(Buffer.from('other')) });
  const response = await fetch(upload.url, { method: 'PUT', body: content });
  expect([response.status, await codeOf(response)]).toEqual([460, 'CHECKSUM_MISMATCH']);
  expect(await readUpload(longhaul, key, upload.id)).toBe(null);
  expect(await watch.filesOf(upload)).toEqual([]);
  expect((await tus(upload.url, 'HEAD')).status).toBe(404);
});

test('a file that is cut at any byte, any number of times, is whole in the end', async () => {
  const cuts = fc.array(fc.integer({ min: 0, max: content.length }), { maxLength: 3 }).map((each) => each.toSorted((a, b) => a - b));
  await fc.assert(
    fc.asyncProperty(cuts, async (stops) => {
      const upload = await newUpload(longhaul, await (await longhaul.workspace()).key(), { bytes: content.length, sha256 });
      let offset = 0;
      for (const stop of stops) {
        const sender = new SlowSender(upload.url, { offset, length: content.length - offset });
        if (stop > offset) await sender.send(content.subarray(offset, stop));
        sender.cut();
        const kept = await offsetOf(upload.url);
        expect(kept).toBeLessThanOrEqual(Math.max(stop, offset));
        expect(kept).toBeGreaterThanOrEqual(offset);
        offset = kept;
      }
      // What was cut may arrive later than what comes after it: then clients ask again.
      while (offset < content.length) {
        const { status } = await patch(upload.url, offset, content.subarray(offset));
        expect([204, 409, 423]).toContain(status);
        offset = await offsetOf(upload.url);
      }
      expect(offset).toBe(content.length);
      const [row] = await longhaul.services.database.hot.query<{ sha256: string }>('SELECT sha256 FROM upload WHERE id = $1', [upload.uuid]);
      expect(row?.sha256).toBe(sha256);
    }),
    { numRuns: 12 },
  );
});

test('F3: of two requests that send a file the later one goes on', async () => {
  const upload = await newUpload(longhaul, key, { bytes: content.length });
  const first = new SlowSender(upload.url, { length: content.length });
  await first.send(content.subarray(0, 10_000));
  await watch.written(upload, 10_000);
  const offset = await offsetOf(upload.url);
  expect(offset).toBe(10_000);
  const answer = await first.answered;
  expect([answer.statusCode, await codeIn(answer)]).toEqual([423, 'LOCKED']);
  expect((await patch(upload.url, offset, content.subarray(offset))).status).toBe(204);
  expect(await readUpload(longhaul, key, upload.id)).toMatchObject({ sha256, complete: true });
});

describe('a lease that is lost', () => {
  test('in the middle of an upload ends it, and nothing is left', async () => {
    const { job, token } = await tenant.running();
    const upload = await newUpload(longhaul, key, { token });
    const sender = new SlowSender(upload.url, { method: 'PUT' });
    await sender.send(content.subarray(0, 10_000));
    await watch.underWay(upload);
    await endLease(longhaul, job.id);
    await sweep(longhaul);
    const answer = await sender.answered;
    expect([answer.statusCode, await codeIn(answer)]).toEqual([410, 'LEASE_LOST']);
    expect(await readUpload(longhaul, key, upload.id)).toBe(null);
    expect(await watch.filesOf(upload)).toEqual([]);
  });

  test('before an upload refuses it, and nothing is left', async () => {
    const { job, token } = await tenant.running();
    const upload = await newUpload(longhaul, key, { token });
    await patch(upload.url, 0, content);
    await tenant.cancel(job.id);
    const response = await patch(upload.url, content.length, content);
    expect([response.status, await codeOf(response)]).toEqual([410, 'LEASE_LOST']);
    expect(await watch.filesOf(upload)).toEqual([]);
  });

  test('takes complete uploads with it that no completion took', async () => {
    const { job, token } = await tenant.running();
    const upload = await newUpload(longhaul, key, { token });
    await fetch(upload.url, { method: 'PUT', body: content });
    await tenant.cancel(job.id);
    await longhaul.sweeper.keepHouse();
    expect(await readUpload(longhaul, key, upload.id)).toBe(null);
    expect(await watch.filesOf(upload)).toEqual([]);
  });
});

describe('F5: an upload that nobody takes', () => {
  test.each([['complete', content], ['not complete', content.subarray(0, 1_000)]])('is removed when it has expired, if it is %s', async (_what, sent) => {
    const upload = await newUpload(longhaul, key, { bytes: content.length });
    await patch(upload.url, 0, sent);
    await watch.expire(upload);
    const late = await tus(upload.url, 'HEAD');
    expect(late.status).toBe(410);
    await longhaul.sweeper.keepHouse();
    expect(await readUpload(longhaul, key, upload.id)).toBe(null);
    expect(await watch.filesOf(upload)).toEqual([]);
  });

  test('does not keep the sweep of orphans from what is there', async () => {
    const upload = await newUpload(longhaul, key);
    await patch(upload.url, 0, content);
    await longhaul.sweeper.sweepOrphans();
    await longhaul.sweeper.sweepOrphans();
    expect(await watch.filesOf(upload)).toHaveLength(1);
    expect((await patch(upload.url, content.length, Buffer.alloc(0), { 'upload-length': String(content.length) })).status).toBe(204);
    await longhaul.sweeper.sweepOrphans();
    expect(await watch.filesOf(upload)).toEqual([upload.uuid]);
  });
});

test('a page of another origin reads what tus needs', async () => {
  const { url } = await newUpload(longhaul, key);
  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: { origin: 'https://page.example', 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'tus-resumable,upload-offset' },
  });
  expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH');
  expect(preflight.headers.get('access-control-allow-headers')).toBe('tus-resumable,upload-offset');
  const { headers } = await tus(url, 'HEAD', { origin: 'https://page.example' });
  for (const name of ['Upload-Offset', 'Upload-Length', 'Tus-Resumable', 'Upload-Expires']) {
    expect(headers.get('access-control-expose-headers')).toContain(name);
  }
});
