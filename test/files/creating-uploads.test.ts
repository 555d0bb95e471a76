import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isJsonObject } from '../../src/json.ts';
import { endLease, Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { askForUpload, newUpload, readUpload, tokenFor } from '../support/uploads.ts';

const maxBytes = 1_000_000;
const quotaBytes = 3_000_000;

let longhaul: Longhaul;
let workspace: TestWorkspace;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await startLonghaul({ MAX_ARTIFACT_BYTES: String(maxBytes), UPLOAD_QUOTA_BYTES: String(quotaBytes) });
  workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

test('an upload is what was announced, and nothing of it is there yet', async () => {
  const sha256 = 'AB'.repeat(32);
  const answer = await askForUpload(longhaul, key, { filename: 'Ferien 🏖.mp4', mediaType: 'Video/MP4', bytes: 12, sha256 });
  expect(answer).toMatchObject({
    __typename: 'CreateUploadPayload',
    upload: { filename: 'Ferien 🏖.mp4', mediaType: 'video/mp4', bytes: 12, receivedBytes: 0, sha256: null, complete: false },
  });
  const { upload } = answer;
  if (!isJsonObject(upload)) throw new Error('no upload');
  expect(await readUpload(longhaul, key, String(upload['id']))).toEqual(upload);
  const hours = (new Date(String(upload['expiresAt'])).getTime() - Date.now()) / 3_600_000;
  expect(hours).toBeGreaterThan(23);
  expect(hours).toBeLessThan(25);
});

test('only its name has to be known', async () => {
  expect(await askForUpload(longhaul, key, { filename: 'a' })).toMatchObject({ upload: { mediaType: 'application/octet-stream', bytes: null } });
});

test.each([
  ['an empty name', { filename: '' }, 'filename'],
  ['a name that is too long', { filename: 'a'.repeat(256) }, 'filename'],
  ['a path', { filename: '../etc/passwd' }, 'filename'],
  ['a path of Windows', { filename: 'C:\\a.mp4' }, 'filename'],
  ['a name of dots', { filename: '..' }, 'filename'],
  ['a line break in the name', { filename: 'a\r\nb' }, 'filename'],
  ['a name that reads backwards', { filename: 'gpj.\u202Eexe' }, 'filename'],
  ['a name of which nothing is seen', { filename: '\u200B' }, 'filename'],
  ['a blank name', { filename: ' \u2060.' }, 'filename'],
  ['NUL in the name', { filename: 'a\0' }, 'filename'],
  ['a media type that is none', { filename: 'a', mediaType: 'mp4' }, 'mediaType'],
  ['an empty media type', { filename: 'a', mediaType: '' }, 'mediaType'],
  ['a media type with a line break', { filename: 'a', mediaType: 'a/b\r\nset-cookie: x' }, 'mediaType'],
  ['a media type that is too long', { filename: 'a', mediaType: `a/${'b'.repeat(200)}` }, 'mediaType'],
  ['a range of media types', { filename: 'a', mediaType: '*/*' }, 'mediaType'],
  ['a range of subtypes', { filename: 'a', mediaType: 'video/*' }, 'mediaType'],
  ['a media type of several parts', { filename: 'a', mediaType: 'multipart/mixed; boundary=x' }, 'mediaType'],
  ['a parameter that is not ASCII', { filename: 'a', mediaType: 'image/png;x="é"' }, 'mediaType'],
  ['a negative size', { filename: 'a', bytes: -1 }, 'bytes'],
  ['more than a file may have', { filename: 'a', bytes: maxBytes + 1 }, 'bytes'],
  ['a checksum that is too short', { filename: 'a', sha256: 'ab' }, 'sha256'],
  ['a checksum that is no hex', { filename: 'a', sha256: 'x'.repeat(64) }, 'sha256'],
  ['a checksum of something for a file of nothing', { filename: 'a', bytes: 0, sha256: 'AB'.repeat(32) }, 'sha256'],
  ['a size that is no number', { filename: 'a', bytes: 'many' }, 'bytes'],
])('%s is refused, at its field', async (_what, input, field) => {
  expect(await askForUpload(longhaul, key, input)).toMatchObject({ __typename: 'ValidationError', issues: [{ path: [field] }] });
});

test('a name may be as long as it may be, in characters', async () => {
  expect(await askForUpload(longhaul, key, { filename: '🏖'.repeat(255) })).toMatchObject({ __typename: 'CreateUploadPayload' });
});

describe('the quota', () => {
  test('is for all uploads of a workspace, and counts what was announced', async () => {
    const other = await longhaul.workspace();
    const theirs = await other.key();
    for (let n = 0; n < 3; n += 1) await newUpload(longhaul, theirs, { bytes: maxBytes });
    expect(await askForUpload(longhaul, theirs, { filename: 'a', bytes: 1 })).toMatchObject({ code: 'QUOTA_EXCEEDED', limitBytes: quotaBytes });
    expect(await askForUpload(longhaul, theirs, { filename: 'a' })).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await newUpload(longhaul, key, { bytes: 1 });
  });

  test('is not exceeded by uploads that are asked for at the same moment', async () => {
    const other = await longhaul.workspace();
    const theirs = await other.key();
    const answers = await Promise.all(Array.from({ length: 8 }, () => askForUpload(longhaul, theirs, { filename: 'a', bytes: maxBytes })));
    expect(answers.filter(({ code }) => code === 'QUOTA_EXCEEDED')).toHaveLength(5);
  });
});

describe('the result of an attempt', () => {
  test('is uploaded with the token of its lease, in the workspace of its job', async () => {
    const { job, token } = await tenant.running();
    const worker = await workspace.key({ scopes: ['WORK'] });
    const { uuid, id } = await newUpload(longhaul, worker, { token });
    expect(await tenant.count(`FROM upload WHERE workspace_id = $1 AND id = '${uuid}' AND job_id = '${job.id}' AND lease_token IS NOT NULL`)).toBe(1);
    expect(await readUpload(longhaul, key, id)).toMatchObject({ id });
  });

  test.each(['nonsense', `lease_${'A'.repeat(43)}`])('needs a lease: %s is none', async (token) => {
    const answer = await askForUpload(longhaul, key, { filename: 'a', token });
    expect(answer).toMatchObject({ __typename: 'LeaseLostError', code: 'LEASE_LOST' });
  });

  test('needs a lease that is held', async () => {
    const { job, token } = await tenant.running();
    await endLease(longhaul, job.id);
    expect(await askForUpload(longhaul, key, { filename: 'a', token })).toMatchObject({ code: 'LEASE_LOST' });
  });

  test("needs a lease of the key's own workspace", async () => {
    const other = await longhaul.workspace();
    const { token } = await tenant.running();
    expect(await askForUpload(longhaul, await other.key(), { filename: 'a', token })).toMatchObject({ code: 'LEASE_LOST' });
  });

  test('is not for a key without WORK, and the input of a job not for one without WRITE', async () => {
    const { token } = await tenant.running();
    expect(await askForUpload(longhaul, await workspace.key({ scopes: ['WRITE'] }), { filename: 'a', token })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await askForUpload(longhaul, await workspace.key({ scopes: ['WORK'] }), { filename: 'a' })).toMatchObject({ code: 'FORBIDDEN' });
  });
});

test("an access token's uploads are its key's and its first tag's own", async () => {
  const mine = await tokenFor(longhaul, key, 'user-1');
  const { id } = await newUpload(longhaul, mine);
  expect(await readUpload(longhaul, await tokenFor(longhaul, key, 'user-1'), id)).toMatchObject({ id });
  expect(await readUpload(longhaul, await tokenFor(longhaul, key, 'user-2'), id)).toBe(null);
  expect(await readUpload(longhaul, await tokenFor(longhaul, await workspace.key(), 'user-1'), id)).toBe(null);
  expect(await readUpload(longhaul, key, id)).toMatchObject({ id });
  const ofKey = await newUpload(longhaul, key);
  expect(await readUpload(longhaul, mine, ofKey.id)).toBe(null);
});

test("another workspace's upload is one that does not exist", async () => {
  const other = await longhaul.workspace();
  const { id } = await newUpload(longhaul, key);
  expect(await readUpload(longhaul, await other.key(), id)).toBe(null);
});
