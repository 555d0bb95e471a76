import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AbortError, type TransferProgress, ValidationError } from '../../clients/js/src/index.ts';
import { packageUser } from '../support/javascript-client.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ MAX_ARTIFACT_BYTES: String(64 * 1024 * 1024) });
});
afterAll(() => longhaul.stop());

const bytes = randomBytes(5 * 1024 * 1024);
const film = new File([bytes], 'film.mp4', { type: 'video/mp4' });

test('a file is sent in chunks with progress, and given into an input as it is', async () => {
  const { client } = await packageUser(longhaul);
  const told: TransferProgress[] = [];
  const file = await client.upload(film, { onProgress: (progress) => told.push(progress) });
  expect(told[0]).toEqual({ done: 0, total: bytes.length });
  expect(told.at(-1)).toEqual({ done: bytes.length, total: bytes.length });
  expect(told.length).toBeGreaterThan(3);
  const handle = await client.submit('comments', { sourceUrl: file });
  expect(await uploadsOf(client, handle.id)).toEqual({ input: { sourceUrl: file.reference }, uploads: [whole('film.mp4')] });
});

test('files straight in an input are uploaded first, each once, wherever they stand in it', async () => {
  const { client } = await packageUser(longhaul);
  const told: number[] = [];
  const handle = await client.submit('comments', { sourceUrl: film, more: [{ note: new Blob(['a note']) }, null, 7] }, { onUploadProgress: ({ done }) => told.push(done) });
  const { input, uploads } = await uploadsOf(client, handle.id);
  expect(input).toEqual({ sourceUrl: expect.stringMatching(/^upload:/), more: [{ note: expect.stringMatching(/^upload:/) }, null, 7] });
  expect(uploads).toContainEqual(whole('film.mp4'));
  expect(told).toContain(bytes.length);
});

test.each(['before the server has it', 'after the server has it', 'as a server stops'])('a chunk that is lost %s is sent again from where the server is', async (when) => {
  let losses = 4;
  const { client, requests } = await packageUser(longhaul, {
    fetch: async (url, init) => {
      if (init?.method !== 'PATCH' || losses === 0) return fetch(url, init);
      losses -= 1;
      if (when === 'as a server stops') return new Response('', { status: 503 });
      if (when === 'after the server has it') await fetch(url, init);
      throw new TypeError('lost');
    },
  });
  const file = await client.upload(film);
  expect(losses).toBe(0);
  expect(requests.filter(({ body }) => body.includes('createUpload'))).toHaveLength(1);
  const { node } = await client.query<{ node: object }>('query ($id: ID!) { node(id: $id) { ... on Upload { filename complete sha256 } } }', { id: file.id });
  expect(node).toEqual(whole('film.mp4'));
});

test('an empty file is a file', async () => {
  const { client } = await packageUser(longhaul);
  const { id } = await client.upload(new Blob([]), { filename: 'empty.txt', mediaType: 'text/plain' });
  const { node } = await client.query<{ node: object }>('query ($id: ID!) { node(id: $id) { ... on Upload { filename mediaType complete } } }', { id });
  expect(node).toEqual({ filename: 'empty.txt', mediaType: 'text/plain', complete: true });
});

test('a signal ends an upload, and refusals are told', async () => {
  const { client } = await packageUser(longhaul);
  const controller = new AbortController();
  const sending = client.upload(film, { signal: controller.signal, onProgress: ({ done }) => done > 0 && controller.abort() });
  await expect(sending).rejects.toThrow(AbortError);
  await expect(client.upload(new Blob([new Uint8Array(65 * 1024 * 1024)]))).rejects.toThrow(ValidationError);
  const { client: lost } = await packageUser(longhaul, {
    fetch: (url, init) => fetch(init?.method === 'PATCH' ? String(url).replace(/[0-9a-f]{12}\?/, '000000000000?') : url, init),
  });
  await expect(lost.upload(film)).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('uploadUrl') });
});

function whole(filename: string) {
  return { filename, complete: true, sha256: createHash('sha256').update(bytes).digest('hex') };
}

async function uploadsOf(client: Awaited<ReturnType<typeof packageUser>>['client'], id: string) {
  const document = 'query ($id: ID!) { job(id: $id) { input uploads { filename complete sha256 } } }';
  const { job } = await client.query<{ job: { input: unknown; uploads: unknown[] } }>(document, { id });
  return job;
}
