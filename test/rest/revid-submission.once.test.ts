import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import type { Job } from '../../src/jobs/model/job.ts';
import type { Dialect } from '../../src/workspaces/dialect.ts';
import { authenticate } from '../../src/workspaces/authenticate.ts';
import { inOneHour, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul, startLonghaul } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const media_url = 'https://example.com/media/file.mp3';
const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

/** A tenant, and a client of RevidAPI that is its own. */
async function client(options: { credits?: number } = {}, { services, url, workspace }: Longhaul = longhaul) {
  const made = await workspace(options);
  const key = await made.key({ dialect: 'REVID' });
  return {
    tenant: Tenant.of(longhaul, made.id),
    post: async (path: string, json?: unknown) => {
      const request = json === undefined ? { method: 'POST' } : { json };
      const { status, headers, body } = await rest(url + path, { ...request, headers: { 'x-api-key': key } });
      return { status, body, retryAfter: headers.get('retry-after') };
    },
    create: (dialect: Dialect, type: string): Promise<Job> => {
      const asked = { type, input: { sourceUrl: media_url } };
      return services.jobs.create(made.id, asked, { dialect });
    },
  };
}

describe('a submission', () => {
  test.each(['/paid/media/transcribe', '/v1/media/transcribe', '/revid/paid/media/transcribe', '/revid/v1/media/transcribe'])(
    'to %s makes a job of what is documented, and answers at once',
    async (path) => {
      const { tenant, post } = await client();
      const documented = {
        media_url,
        task: 'translate',
        include_text: true,
        include_srt: false,
        include_segments: false,
        word_timestamps: true,
        response_type: 'cloud',
        language: 'zh_CN',
        max_words_per_line: 4,
      };
      const webhook_url = 'https://example.com/webhook';
      const { status, body } = await post(path, { ...documented, webhook_url, id: 'transcribe_job_123', unknown: 'is ignored' });
      expect({ status, body }).toEqual({
        status: 202,
        body: {
          code: 202,
          id: 'transcribe_job_123',
          job_id: uuid,
          message: 'processing',
          pid: process.pid,
          queue_id: expect.toSatisfy(Number.isSafeInteger),
          max_queue_length: 100_000,
          queue_length: 1,
          build_number: packageJson.version,
        },
      });
      const { job_id } = Object(body) as { job_id: string };
      expect(await tenant.read(job_id)).toMatchObject({
        type: 'media/transcribe',
        dialect: 'REVID',
        input: documented,
        webhookUrl: webhook_url,
        clientReference: 'transcribe_job_123',
      });
      // The reference of the submission is the job's, that of the request is the request's.
      const job = await tenant.start(await tenant.read(job_id));
      await tenant.complete(job.token, 'Transcription completed successfully.');
      expect((await post('/paid/get/job/status', { job_id })).body).toMatchObject({
        id: null,
        response: { response: { id: 'transcribe_job_123', endpoint: '/v1/media/transcribe', response: 'Transcription completed successfully.' } },
      });
    },
  );

  test('needs no more than the media; an empty webhook_url is none', async () => {
    const { tenant, post } = await client();
    for (const json of [{ media_url }, { media_url, webhook_url: '' }]) {
      const { status, body } = await post('/v1/media/transcribe', json);
      expect({ status, body }).toMatchObject({ status: 202, body: { id: null, message: 'processing' } });
      const { job_id } = Object(body) as { job_id: string };
      expect(await tenant.read(job_id)).toMatchObject({ input: { media_url }, webhookUrl: null, clientReference: null });
    }
  });

  test.each([
    { json: { id: 7 }, message: "'media_url' is a required property" },
    { json: { media_url: 7 }, message: "7 is not of type 'string'" },
    { json: { media_url: 'file.mp3' }, message: "'file.mp3' is not a 'uri'" },
    { json: { media_url, webhook_url: 'ftp://example.com' }, message: "'ftp://example.com' is not a 'uri'" },
    { json: { media_url, webhook_url: null }, message: "None is not of type 'string'" },
    { json: { media_url, task: 'sing' }, message: "'sing' is not one of ['transcribe', 'translate']" },
    { json: { media_url, response_type: 'mail' }, message: "'mail' is not one of ['direct', 'cloud']" },
    { json: { media_url, include_srt: 'yes' }, message: "'yes' is not of type 'boolean'" },
    { json: { media_url, max_words_per_line: 0 }, message: '0 is less than the minimum of 1' },
    { json: { media_url, max_words_per_line: 1.5 }, message: "1.5 is not of type 'integer'" },
    { json: { media_url, id: 'x'.repeat(1_001) }, message: `'${'x'.repeat(499)}… is too long` },
    { json: { media_url, id: 5 }, message: "5 is not of type 'string'" },
    { json: { media_url, language: 'x'.repeat(200) }, message: 'language: expected at most 100 characters, got 200' },
  ])('of $json is refused with $message', async ({ json, message }) => {
    const { tenant, post } = await client();
    const { status, body } = await post('/v1/media/transcribe', json);
    expect({ status, body }).toEqual({ status: 400, body: { message: `Invalid payload: ${message}` } });
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(0);
  });

  test('that is too dear is 402, and changes nothing', async () => {
    const { tenant, post } = await client({ credits: 0 });
    const { status, body } = await post('/v1/media/transcribe', { media_url });
    expect({ status, body }).toEqual({ status: 402, body: { code: 402, message: 'Insufficient credits: 1 needed, 0 left' } });
    expect(await tenant.count('FROM job WHERE workspace_id = $1')).toBe(0);
  });

  test('to a full queue is the documented 429', async () => {
    const small = await startLonghaul({ MAX_QUEUE_LENGTH: '1' });
    try {
      const { post } = await client({}, small);
      expect(await post('/paid/media/transcribe', { media_url })).toMatchObject({ status: 202, body: { max_queue_length: 1 } });
      for (const id of ['mine', null]) {
        expect(await post('/paid/media/transcribe', { media_url, ...(id === null ? {} : { id }) })).toEqual({
          status: 429,
          retryAfter: '60',
          body: {
            code: 429,
            id,
            job_id: uuid,
            message: 'MAX_QUEUE_LENGTH (1) reached',
            pid: process.pid,
            queue_id: expect.toSatisfy(Number.isSafeInteger),
            queue_length: 1,
            build_number: packageJson.version,
          },
        });
      }
    } finally {
      await small.stop();
    }
  });
});

/** What is answered, in its order. */
async function statuses({ post }: Awaited<ReturnType<typeof client>>, json?: unknown): Promise<[string, unknown][]> {
  const { status, body } = await post('/v1/toolkit/jobs/status', json);
  expect(status).toBe(200);
  return Object.entries((Object(body) as { response: object }).response);
}

describe('the statuses of the jobs that changed lately', () => {
  const paths = ['/v1/toolkit/jobs/status', '/paid/get/all/jobs/id/status'];

  test.each(paths)('come in the envelope from %s, the last change first, with a body or without', async (path) => {
    const revid = await client();
    const { tenant, post, create } = revid;
    const [cancelled, failed, completed, between, running] = [
      await create('REVID', 'fingerprint'),
      await create('REVID', 'fingerprint'),
      await create('REVID', 'fingerprint'),
      await create('REVID', 'fingerprint'),
      await create('NATIVE', 'media/transcribe'),
    ];
    const waiting = await create('REVID', 'fingerprint');
    await tenant.start(running);
    await tenant.fail((await tenant.start(between)).token);
    await tenant.complete((await tenant.start(completed)).token);
    await tenant.fail((await tenant.start(failed)).token, { retryable: false });
    await tenant.cancel(cancelled.id);
    const response = {
      [cancelled.id]: 'done',
      [failed.id]: 'done',
      [completed.id]: 'done',
      [between.id]: 'running',
      [running.id]: 'running',
      [waiting.id]: 'queued',
    };
    for (const json of [undefined, {}, { since_seconds: 600, id: 'mine' }, { since_seconds: Number.MAX_SAFE_INTEGER }, { since_seconds: 599.5 }]) {
      const { status, body } = await post(path, json);
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          endpoint: '/v1/toolkit/jobs/status',
          code: 200,
          id: json !== undefined && 'id' in json ? 'mine' : null,
          job_id: uuid,
          response,
          message: 'success',
          pid: process.pid,
          queue_id: expect.any(Number),
          run_time: expect.any(Number),
          queue_time: 0,
          total_time: expect.any(Number),
          queue_length: expect.any(Number),
          build_number: packageJson.version,
        },
      });
    }
    expect((await statuses(revid)).map(([id]) => id)).toEqual(Object.keys(response));
  });

  test('leave out what changed before, also where it was created or reported on since', async () => {
    const revid = await client();
    const { tenant, create } = revid;
    const old = await create('REVID', 'fingerprint');
    const { token } = await tenant.start(old);
    const { database } = longhaul.services;
    for (const [table, column] of [['job', 'status_changed_at'], ['job_change', 'changed_at']]) {
      await database.hot.query(`UPDATE ${table} SET ${column} = ${column} - interval '1 hour' WHERE workspace_id = $1`, [tenant.id]);
    }
    await tenant.report(token, { percentage: 50 });
    const fresh = await create('REVID', 'fingerprint');
    expect(await statuses(revid)).toEqual([[fresh.id, 'queued']]);
    expect(await statuses(revid, { since_seconds: 7_200 })).toEqual([[fresh.id, 'queued'], [old.id, 'running']]);
    expect(await statuses(revid, { since_seconds: 0 })).toEqual([]);
  });

  test("show the jobs of the dialect and of its own type, and nobody else's", async () => {
    const revid = await client();
    const own = await revid.create('REVID', 'fingerprint');
    const native = await revid.create('NATIVE', 'media/transcribe');
    await revid.create('NATIVE', 'fingerprint');
    await revid.create('VYDRA', 'fingerprint');
    await (await client()).create('REVID', 'fingerprint');
    expect((await statuses(revid)).map(([id]) => id).toSorted()).toEqual([own.id, native.id]);
  });

  test('are, for the holder of a token, those of the jobs that it opens', async () => {
    const { services, url, workspace } = longhaul;
    const { id, key } = await workspace();
    const own = Tenant.of(longhaul, id);
    const [job, tagged] = await own.createAll([
      { type: 'media/transcribe', input: { media_url } },
      { type: 'media/transcribe', input: { media_url }, tags: ['board-7'] },
    ]);
    if (job === undefined || tagged === undefined) throw new Error('nothing was created');
    const viewer = await authenticate(services, { secret: await key(), address: '127.0.0.1' }, 'REVID');
    for (const { restriction, opens } of [
      { restriction: { jobId: job.id }, opens: job },
      { restriction: { tags: ['board-7'], types: null } as const, opens: tagged },
    ]) {
      const token = await services.accessTokens.sign({ ...viewer, restriction, scopes: ['READ'], expiresAt: inOneHour() });
      const { body } = await rest(`${url}/v1/toolkit/jobs/status`, { headers: { 'x-api-key': token }, json: {} });
      expect(body).toMatchObject({ queue_length: 0 });
      expect((Object(body) as { response: object }).response).toEqual({ [opens.id]: 'queued' });
    }
  });

  test('are at most a thousand, those that changed last', async () => {
    const revid = await client();
    const asked = Array.from({ length: 501 }, () => ({ type: 'media/transcribe', input: { media_url } }));
    const first = await revid.tenant.createAll(asked);
    const second = await revid.tenant.createAll(asked);
    const shown = (await statuses(revid)).map(([id]) => id);
    expect(shown).toEqual([...first.slice(2), ...second].map(({ id }) => id).toReversed());
  });

  test.each([
    { since_seconds: 'ten', message: "'ten' is not of type 'number'" },
    { since_seconds: null, message: "None is not of type 'number'" },
    { since_seconds: true, message: "True is not of type 'number'" },
    { since_seconds: -1, message: '-1 is less than the minimum of 0' },
    { since_seconds: 1e308, message: 'since_seconds: is a number beyond ±9007199254740991, which JSON parsers round; send it as a string' },
  ])('are not to be had for the last $since_seconds seconds', async ({ since_seconds, message }) => {
    const { post } = await client();
    for (const path of paths) {
      const { status, body } = await post(path, { since_seconds });
      expect({ status, body }).toEqual({ status: 400, body: { message: `Invalid payload: ${message}` } });
    }
  });
});
