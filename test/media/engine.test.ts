import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/log.ts';
import { openEngines } from '../../src/worker/engines/open.ts';
import type { EngineSetting } from '../../src/worker/engines/setting.ts';
import { findMediaEngine } from '../../src/worker/media/engine.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { startLonghaul } from '../support/longhaul.ts';
import { hasFfmpeg } from '../support/media.ts';

const create = `mutation ($type: String!) { createJob(input: { type: $type, input: { sourceUrl: "https://192.0.2.1/a.mp4" } }) {
  ... on CreateJobPayload { job { id status } warnings { code message } } ... on UserError { code message } } }`;

function command(program: string): EngineSetting {
  return { kind: 'command', program, parameters: [] };
}

async function started(env: Record<string, string>) {
  const longhaul = await startLonghaul({ ROLE: 'all', ...env });
  onTestFinished(() => longhaul.stop());
  const workspace = await longhaul.workspace();
  const key = await workspace.key();
  const made = async (type: string) => (await longhaul.graphql(create, { type }, key)).data?.['createJob'];
  const builtIn = async () => {
    const { jobTypes = [] }: { jobTypes?: { name: string; builtIn: boolean }[] } = JSON.parse(JSON.stringify((await longhaul.graphql('{ jobTypes { name builtIn } }')).data));
    return jobTypes.filter((type) => type.builtIn).map(({ name }) => name);
  };
  return { longhaul, workspace, made, builtIn };
}

test('without ffmpeg a job of media is created, waits, and says what to install, until somebody else who is alive takes its type', async () => {
  const { longhaul, workspace, made, builtIn } = await started({ FFMPEG_PATH: '/nowhere/ffmpeg' });
  expect(await builtIn()).toEqual(expect.arrayContaining(['demo', 'download', 'fingerprint']));
  expect(await builtIn()).not.toContain('media/export');
  const metrics = await (await fetch(`${longhaul.url}/metrics`)).text();
  expect(metrics).toContain('longhaul_built_in_type{type="fingerprint"} 1\n');
  expect(metrics).toContain('longhaul_built_in_type{type="media/export"} 0\n');
  for (const type of ['media/export', 'preview']) {
    const message = `No worker that is alive takes jobs of type "${type}". They wait until one claims this type. FFMPEG_PATH names no program. Install ffmpeg`;
    expect(await made(type)).toMatchObject({ job: { status: 'PENDING' }, warnings: [{ code: 'ENGINE_MISSING', message: expect.stringContaining(message) }] });
  }
  expect(await made('transcribe')).toMatchObject({ warnings: [{ code: 'ENGINE_MISSING', message: expect.stringContaining('Name one in TRANSCRIBE_ENGINE') }] });
  const tenant = Tenant.of(longhaul, workspace.id);
  await tenant.claim({ types: ['preview'], workerId: 'own' });
  expect(await made('preview')).toMatchObject({ warnings: [] });
  expect(await made('media/trim')).toMatchObject({ warnings: [{ code: 'ENGINE_MISSING' }] });
});

test('an engine whose program is not there takes no job, and whoever creates one is told, of each engine that is wanting', async () => {
  const { made, builtIn } = await started({ TRANSCRIBE_ENGINE: 'command:/nowhere/whisper {audio}', FFMPEG_PATH: '/nowhere/ffmpeg' });
  expect(await builtIn()).not.toEqual(expect.arrayContaining(['transcribe']));
  const { warnings: [warning] } = JSON.parse(JSON.stringify(await made('translate')));
  expect(warning.code).toBe('ENGINE_MISSING');
  expect(warning.message).toContain('The program that TRANSCRIBE_ENGINE names is not on this server');
  expect(warning.message).toContain('Name one in TRANSLATE_ENGINE');
  expect(warning.message).toContain('FFMPEG_PATH names no program');
  expect(warning.message).not.toContain('/nowhere');
});

test('the programs of engines are looked for by their paths and in the PATH, and the log names those that are not there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-engine-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'whisper'), '#!/bin/sh\n');
  await chmod(join(folder, 'whisper'), 0o700);
  const lines: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => void lines.push(fields) };
  const open = (transcribe: EngineSetting, translate: EngineSetting) => openEngines({ transcribe, translate, speech: command('./piper') }, { works: true, log, searched: folder });
  const there = await open(command('whisper'), command(join(folder, 'whisper')));
  expect(there).toMatchObject({ transcribe: { program: 'whisper' }, translate: { kind: 'command' }, speech: null, missing: { transcribe: null, translate: null, speech: expect.stringContaining('The program that SPEECH_ENGINE names') } });
  expect(lines.splice(0)).toEqual([{ variable: 'SPEECH_ENGINE', program: './piper' }]);
  const absent = await open(command('piper'), command(folder));
  expect(absent).toMatchObject({ transcribe: null, translate: null });
  expect(lines).toEqual([{ variable: 'TRANSCRIBE_ENGINE', program: 'piper' }, { variable: 'TRANSLATE_ENGINE', program: folder }, { variable: 'SPEECH_ENGINE', program: './piper' }]);
});

test('BUILT_IN_TYPES leaves types to workers of one\'s own', async () => {
  const { made, builtIn } = await started({ BUILT_IN_TYPES: 'demo, download' });
  expect(await builtIn()).toEqual(['download', 'demo']);
  await eventually(async () => expect(await made('download')).toMatchObject({ warnings: [] }));
  expect(await made('fingerprint')).toMatchObject({ job: { status: 'PENDING' }, warnings: [{ code: 'NO_WORKER' }] });
});

describe.runIf(hasFfmpeg())('with ffmpeg', () => {
  test('a SCRATCH_DIR that cannot be made refuses the start, and says what to do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-engine-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'file'), '');
    await expect(startLonghaul({ ROLE: 'all', SCRATCH_DIR: join(folder, 'file', 'scratch') })).rejects.toThrow(/^SCRATCH_DIR .* cannot be used .*Name a folder that this process may write to\.$/);
  });

  test('the built-in worker takes all that it can do', async () => {
    const { made, builtIn } = await started({});
    expect(await builtIn()).toEqual(expect.arrayContaining(['preview', 'media/export', 'media/analysis', 'media/concatenate', 'media/trim', 'media/audio']));
    await eventually(async () => expect(await made('media/export')).toMatchObject({ warnings: [] }));
  });

  test('it is found by its path or in the PATH, with its version, and every other outcome says what to do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-engine-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const found = await findMediaEngine(null);
    expect(found).toMatchObject({ missing: null, engine: { version: expect.stringMatching(/^\d|^[nN]/) } });
    const { ffmpeg = '' } = found.engine ?? {};
    expect(await findMediaEngine(ffmpeg)).toMatchObject({ engine: { ffmpeg } });
    expect(await findMediaEngine(null, folder)).toMatchObject({ engine: null, missing: expect.stringMatching(/^ffmpeg is not in the PATH\. Install ffmpeg/) });
    await symlink(ffmpeg, join(folder, 'ffmpeg'));
    expect(await findMediaEngine(null, folder)).toMatchObject({ engine: null, missing: expect.stringContaining('no ffprobe beside it') });
    const other = join(folder, 'ffprobe');
    await writeFile(other, '#!/bin/sh\necho hello\n');
    await chmod(other, 0o700);
    expect(await findMediaEngine(other)).toMatchObject({ engine: null, missing: expect.stringContaining('another program') });
    const poor = join(folder, 'poor');
    await writeFile(poor, '#!/bin/sh\necho "ffmpeg version 9.9 x"; echo "configuration: --enable-libx264 --enable-libopus"\n');
    await chmod(poor, 0o700);
    expect(await findMediaEngine(poor)).toMatchObject({ engine: null, missing: expect.stringContaining('without libvpx, libmp3lame, libass') });
  });
});
