import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { fileTypeFromBuffer } from 'file-type';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ResultFiles } from '../../src/files/result-files.ts';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';
import type { JsonObject } from '../../src/json.ts';
import { parseOutboundAllow } from '../../src/outbound/addresses.ts';
import { createOutboundFetch } from '../../src/outbound/fetch.ts';
import { createDemoHandler } from '../../src/worker/handlers/demo.ts';
import { type AttemptOptions, failureOf, makeAttempt, type WatchedAttempt } from '../support/attempt.ts';

const workspaceId = '0198c0de-0000-7000-8000-000000000001';
const demo = createDemoHandler({ maxBytes: 1_000_000 });
const steps = ['prepare', 'analyse', 'render', 'finish'];

let dir: string;
let store: DiskStore;
let artifacts: ResultFiles;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-demo-'));
  store = new DiskStore(dir);
  artifacts = new ResultFiles(store);
});
afterEach(() => rm(dir, { recursive: true }));

/** It reaches nothing: whatever it asked for would fail. */
const fetch = createOutboundFetch({ allow: parseOutboundAllow([]) });

function attempt(input: JsonObject, options: AttemptOptions = {}): WatchedAttempt {
  return makeAttempt({ artifacts, fetch }, workspaceId, input, options);
}

test('it walks through its steps with a percentage that climbs to 100, and logs each', async () => {
  const watched = attempt({ seconds: 0 });
  const { output } = await demo(watched);
  const percentages = watched.reports.flatMap(({ percentage }) => percentage ?? []);
  expect(percentages).toEqual(percentages.toSorted((a, b) => a - b));
  expect(percentages.at(-1)).toBe(100);
  expect(watched.reports.flatMap(({ step }) => step ?? [])).toEqual(steps);
  expect((await watched.logged()).flatMap(({ fields }) => fields?.['step'] ?? [])).toEqual(steps);
  expect(output).toMatchObject({ steps, seconds: 0, filename: 'demo.txt', mediaType: 'text/plain' });
});

test.each([
  ['image', 'image/png'],
  ['audio', 'audio/wav'],
])('its %s is one', async (file, mediaType) => {
  const { artifacts: [made] = [], output } = await demo(attempt({ seconds: 0, file }));
  const content = await readFile(store.path({ workspaceId, id: made?.file.id ?? '' }));
  expect((await fileTypeFromBuffer(content))?.mime).toBe(mediaType);
  expect(output).toMatchObject({ mediaType, bytes: content.length, sha256: made?.file.sha256 });
  // A PNG's picture begins after its signature (8), its header (25), and the name and length of the chunk (8).
  if (file === 'image') expect(inflateSync(content.subarray(41, 41 + content.readUInt32BE(33)))).toHaveLength(180 * (1 + 3 * 320));
  else expect(content.readUInt32LE(4)).toBe(content.length - 8);
});

test('it makes no file where none is asked for', async () => {
  const { artifacts: made, output } = await demo(attempt({ seconds: 0, file: 'none' }));
  expect([made, output]).toEqual([undefined, { steps, seconds: 0 }]);
});

test.each(steps)('it fails at the step %s if it has to, for good', async (failAt) => {
  const watched = attempt({ seconds: 0, failAt });
  const failure = await failureOf(demo(watched));
  expect([failure.code, failure.retryable]).toEqual(['DEMO_FAILED', false]);
  expect(watched.reports.findLast(({ step }) => step !== undefined)).toMatchObject({ step: failAt });
});

test('the attempt after one that was cut off goes on with its step', async () => {
  const cut = new AbortController();
  const first = attempt({ seconds: 0 }, { signal: cut.signal, onReport: ({ step }) => step === 'render' && cut.abort(new Error('cut')) });
  await expect(demo(first)).rejects.toThrow();
  const second = attempt({ seconds: 0 }, { checkpoint: first.kept.at(-1) ?? null });
  await demo(second);
  expect(second.reports.flatMap(({ step }) => step ?? [])).toEqual(['render', 'finish']);
  expect(second.reports[0]).toMatchObject({ percentage: 40 });
});

test('input that another JOB_TYPES lets through is refused for good', async () => {
  const failure = await failureOf(demo(attempt({ seconds: 'ten' })));
  expect([failure.code, failure.retryable]).toEqual(['INPUT_REFUSED', false]);
});
