import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { CompleteJobDocument, JobDocument, ReportProgressDocument } from '../graphql/generated/graphql.ts';
import { ask, request } from '../support/client.ts';
import { graphqlGet, jsonSurfaces, type Surface } from '../support/json-surfaces.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { claim, globalId, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let surfaces: Surface[];
let all: Surface[];
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  surfaces = await jsonSurfaces(longhaul, workspace);
  all = [...surfaces, graphqlGet(longhaul, key)];
});
afterAll(() => longhaul.stop());

type Encode = (json: string) => Buffer<ArrayBuffer>;

const utf8: Encode = (json) => Buffer.from(json);
/** Each character is one byte. */
const bytes: Encode = (json) => Buffer.from(json, 'latin1');
const utf16: Encode = (json) => Buffer.from(json, 'utf16le');
const swapped: Encode = (json) => Buffer.from(utf16(json)).swap16();
const utf32: Encode = (json) => Buffer.from(Uint32Array.from(json, (character) => character.codePointAt(0) ?? 0).buffer);
const swapped32: Encode = (json) => Buffer.from(utf32(json)).swap32();
const after = (mark: string, encode: Encode): Encode => (json) => Buffer.concat([bytes(mark), encode(json)]);

test.each<{ what: string; value?: string; encode: Encode; taken: boolean }>([
  { what: 'ASCII', encode: utf8, taken: true },
  { what: 'UTF-8 of two, three and four bytes', value: '"é€😀"', encode: utf8, taken: true },
  { what: 'U+FFFD itself and noncharacters', value: '"\uFFFD\uFFFF\u{10FFFF}"', encode: utf8, taken: true },
  { what: 'a pair of surrogates in escapes', value: '"\\ud83d\\ude00"', encode: utf8, taken: true },
  { what: 'the same key twice', value: '1,"snowflake":"x"', encode: utf8, taken: true },
  { what: 'a byte order mark in front of UTF-8', value: '"é"', encode: after('\xef\xbb\xbf', utf8), taken: true },
  { what: 'two byte order marks', encode: after('\xef\xbb\xbf\xef\xbb\xbf', utf8), taken: false },
  { what: 'half a byte order mark', encode: after('\xef\xbb', utf8), taken: false },
  { what: 'ISO-8859-1', value: '"caf\xe9"', encode: bytes, taken: false },
  { what: 'Windows-1252', value: '"\x93caf\xe9\x94"', encode: bytes, taken: false },
  { what: 'Shift_JIS', value: '"\x83\x66\x81\x5b"', encode: bytes, taken: false },
  { what: 'an overlong slash of two bytes', value: '"\xc0\xaf"', encode: bytes, taken: false },
  { what: 'an overlong slash of three bytes', value: '"\xe0\x80\xaf"', encode: bytes, taken: false },
  { what: 'an overlong slash of four bytes', value: '"\xf0\x80\x80\xaf"', encode: bytes, taken: false },
  { what: 'NUL as Java writes it', value: '"\xc0\x80"', encode: bytes, taken: false },
  { what: 'a surrogate in UTF-8', value: '"\xed\xa0\x80"', encode: bytes, taken: false },
  { what: 'a pair of surrogates in UTF-8', value: '"\xed\xa0\xbd\xed\xb8\x80"', encode: bytes, taken: false },
  { what: 'a character beyond U+10FFFF', value: '"\xf4\x90\x80\x80"', encode: bytes, taken: false },
  { what: 'a sequence of five bytes', value: '"\xf8\x88\x80\x80\x80"', encode: bytes, taken: false },
  { what: 'a continuation alone', value: '"\x80"', encode: bytes, taken: false },
  { what: 'a character that breaks off', value: '"\xe2\x82"', encode: bytes, taken: false },
  { what: 'the byte FF', value: '"\xff"', encode: bytes, taken: false },
  { what: 'bad bytes in a key', value: '1,"\xe9":1', encode: bytes, taken: false },
  { what: 'bad bytes behind the JSON', encode: (json) => bytes(`${json} \xe9`), taken: false },
  { what: 'a NUL behind the JSON', encode: (json) => bytes(`${json}\0`), taken: false },
  { what: 'UTF-16, little-endian', encode: utf16, taken: false },
  { what: 'UTF-16, little-endian, marked', encode: after('\xff\xfe', utf16), taken: false },
  { what: 'UTF-16, big-endian', encode: swapped, taken: false },
  { what: 'UTF-16, big-endian, marked', encode: after('\xfe\xff', swapped), taken: false },
  { what: 'UTF-32, little-endian', encode: utf32, taken: false },
  { what: 'UTF-32, little-endian, marked', encode: after('\xff\xfe\0\0', utf32), taken: false },
  { what: 'UTF-32, big-endian', encode: swapped32, taken: false },
  { what: 'UTF-32, big-endian, marked', encode: after('\0\0\xfe\xff', swapped32), taken: false },
  { what: 'UTF-7', value: '+ACI-x+ACI-', encode: bytes, taken: false },
])('every surface is of one mind about $what', async ({ value = '"x"', encode, taken }) => {
  await expectVerdicts(all, value, encode, taken);
});

test.each(['utf-8', 'UTF8', 'us-ascii', 'iso-8859-1', 'utf-16le', 'none-such'])(
  'a charset of %s changes nothing: the bytes decide',
  async (charset) => {
    for (const { name, json, send } of surfaces) {
      const type = `application/json; charset=${charset}`;
      expect(await send(utf8(json('"é"')), type), name).toMatchObject({ taken: true });
      expect(await send(bytes(json('"\xe9"')), type), name).toMatchObject({ taken: false });
      expect(await send(utf16(json('"x"')), type), name).toMatchObject({ taken: false });
    }
  },
);

test('every surface takes the strings that a strict decoder takes, whatever their bytes', async () => {
  // Without quotes, escapes and controls, so that UTF-8 alone decides.
  const byte = fc.oneof(fc.integer({ min: 0x80, max: 0xff }), fc.constantFrom(0x61, 0x7e));
  const fromBytes = fc.array(byte, { maxLength: 6 }).map((codes) => String.fromCharCode(...codes));
  const sound = fc.string({ unit: 'binary', maxLength: 3 }).filter((text) => JSON.stringify(text) === `"${text}"`);
  const fromText = sound.map((text) => Buffer.from(text).toString('latin1'));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fromBytes, fromText), async (text) => {
      await expectVerdicts(all, `"${text}"`, bytes, isDecodable(bytes(text)));
    }),
    { numRuns: 40 },
  );
});

test.each([
  '9007199254740992', '-9007199254740992', '9007199254740993', '-9007199254740993', '9007199254740993.0', '90071992547409930e-1',
  '9.007199254740993e15', '18446744073709551615', '123456789012345678901234567890', '1e30', '1E+30', '1e308', '1e309', '1e400', '-1e400',
])('every surface refuses the number %s, and says where it is', async (number) => {
  for (const { name, json, send } of surfaces) {
    const plain = await send(utf8(json(number)));
    expect(plain, name).toEqual({ taken: false, said: expect.stringContaining('is a number beyond ±9007199254740991') });
    expect(plain.said, name).toMatch(/snowflake/);
    const deep = await send(utf8(json(`{"b":[0,{"c":${number}}]}`)));
    expect(deep, name).toEqual({ taken: false, said: expect.stringMatching(/snowflake\W+b\W+1\W+c\W/) });
  }
});

test.each([
  '9007199254740991', '-9007199254740991', '9007199254740991.0', '9.007199254740991E15', '-0', '0', '1e15', '0.1234567890123456789',
  '4503599627370497.5', '123456789.123456789123', '1e-400', '-1e-324',
])('every surface takes the number %s', async (number) => {
  await expectVerdicts(surfaces, number, utf8, true);
});

test.each([
  { what: 'NUL', value: '"\\u0000"' },
  { what: 'half a pair of surrogates', value: '"\\ud800"' },
  { what: 'surrogates in the wrong order', value: '"\\ude00\\ud83d"' },
  { what: 'a key named __proto__', value: '{"__proto__":{"admin":true}}' },
  { what: 'a key named __proto__ in escapes', value: '{"\\u005f_proto__":1}' },
  { what: 'a key with NUL', value: '{"a\\u0000":1}' },
])('every surface refuses $what', async ({ value }) => {
  await expectVerdicts(surfaces, value, utf8, false);
});

test('of two values under one key the last one counts, on every surface', async () => {
  await expectVerdicts(surfaces, '9007199254740993,"snowflake":1', utf8, true);
  await expectVerdicts(surfaces, '1,"snowflake":9007199254740993', utf8, false);
});

test.each(['9007199254740993', '-9007199254740993', '9007199254740993.0', '1e400', '{ b: [0, { c: 9007199254740993 }] }'])(
  'the literal %s is refused with its path, as a variable is',
  async (literal) => {
    const document = `mutation { createJob(input: { type: "comments", input: { sourceUrl: "https://example.com/a", snowflake: ${literal} } })
      { ... on ValidationError { issues { path message } } } }`;
    const { data } = await longhaul.graphql(document, {}, key);
    const message = expect.stringContaining('is a number beyond ±9007199254740991');
    const path = ['input', 'snowflake', ...(literal.startsWith('{') ? ['b', '1', 'c'] : [])];
    expect(data).toEqual({ createJob: { issues: [{ path, message }] } });
  },
);

test('two requests whose ids a double cannot tell apart never pass for one', async () => {
  const document = 'mutation ($i: CreateJobInput!) { createJob(input: $i) { __typename } }';
  const send = async (id: string) => {
    const variables = `{"i":{"type":"comments","idempotencyKey":"ids","input":{"sourceUrl":"https://example.com/a","id":${id}}}}`;
    const body = `{"query":${JSON.stringify(document)},"variables":${variables}}`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const response = await fetch(`${longhaul.url}/graphql`, { method: 'POST', headers, body });
    return response.text();
  };
  expect(await send('9007199254740992')).toContain('"ValidationError"');
  expect(await send('9007199254740993')).toContain('"ValidationError"');
  expect(await send('9007199254740990')).toContain('"CreateJobPayload"');
  expect(await send('9007199254740991')).toContain('"IdempotencyConflictError"');
  expect(await send('9007199254740990.0')).toContain('"CreateJobPayload"');
});

test.each([2 ** 53, -(2 ** 53), 1e30])("a worker's output with %d is refused with its path, and the attempt goes on", async (number) => {
  const job = await submit(longhaul, workspace.id);
  const token = await claim(longhaul, job);
  const { data } = await request(longhaul.url, key, CompleteJobDocument, { input: { token, output: { rows: [{ id: number }] } } });
  expect(data?.completeJob).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: ['output', 'rows', '0', 'id'] }] });
  const whole = await request(longhaul.url, key, CompleteJobDocument, { input: { token, output: number } });
  expect(whole.data?.completeJob).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: ['output'] }] });
  expect((await read(job)).status).toBe('RUNNING');
});

test('a percentage beyond every number is refused as a literal too', async () => {
  const job = await submit(longhaul, workspace.id);
  const token = await claim(longhaul, job);
  const document = `mutation { reportProgress(input: { token: "${token}", percentage: 1e400 }) { ... on ValidationError { issues { path } } } }`;
  expect(await longhaul.graphql(document, {}, key)).toMatchObject({ data: { reportProgress: { issues: [{ path: ['percentage'] }] } } });
  const { data } = await request(longhaul.url, key, ReportProgressDocument, { input: { token, percentage: 1e30 } });
  expect(data?.reportProgress).toMatchObject({ code: 'VALIDATION_ERROR', issues: [{ path: ['percentage'] }] });
  expect((await read(job)).progress).toBeNull();
});

test('what an older version stored is shown as it is, and a retry of it is refused with its path', async () => {
  const job = await submit(longhaul, workspace.id);
  await longhaul.services.database.hot.query(
    `UPDATE job SET input = $2::jsonb WHERE id = $1`,
    [job.id, '{"sourceUrl":"https://example.com/a","id":9007199254740992}'],
  );
  await longhaul.graphql('mutation ($id: ID!) { cancelJob(input: { id: $id }) { __typename } }', { id: globalId(job) }, key);
  expect((await read(job)).input).toMatchObject({ id: 2 ** 53 });
  const retry = 'mutation ($id: ID!) { retryJob(input: { id: $id }) { ... on ValidationError { issues { path } } } }';
  const { data } = await longhaul.graphql(retry, { id: globalId(job) }, key);
  expect(data).toEqual({ retryJob: { issues: [{ path: ['input', 'id'] }] } });
});

test.each(['%E9', '%C0%AF', '%ED%A0%80', '%F4%90%80%80', '%C3', '%C3x'])(
  'a document with %s in the query string is refused',
  async (encoded) => {
    const response = await fetch(`${longhaul.url}/graphql?query=%7B__typename%7D%23${encoded}`, { headers: { 'x-api-key': key } });
    expect({ status: response.status, text: await response.text() }).toEqual({
      status: 400,
      text: expect.stringContaining('BAD_USER_INPUT'),
    });
  },
);

async function expectVerdicts(asked: readonly Surface[], value: string, encode: Encode, taken: boolean): Promise<void> {
  const verdicts = await Promise.all(asked.map(async ({ name, json, send }) => ({ name, ...(await send(encode(json(value)))) })));
  expect(verdicts).toEqual(asked.map(({ name }) => ({ name, taken, said: expect.any(String) })));
  // A refusal is never a fault of ours.
  for (const { name, said } of verdicts) expect(said, name).not.toMatch(/INTERNAL|internal|closed with 4500/);
}

function isDecodable(encoded: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(encoded);
    return true;
  } catch {
    return false;
  }
}

async function read(job: Job) {
  const { job: found } = await ask(longhaul.url, key, JobDocument, { id: globalId(job) });
  if (found === null) throw new Error('the job is not there');
  return found;
}
