import { readdirSync } from 'node:fs';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/log.ts';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { mountSmallVolume } from '../support/small-volume.ts';
import { openSource } from '../support/source.ts';

const megabyte = 1024 ** 2;
const volume = mountSmallVolume(8 * megabyte);
afterAll(() => volume?.unmount());

async function healthOf({ url }: Longhaul): Promise<unknown> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const [, full] = /^longhaul_volume_full (\d)$/m.exec(metrics) ?? [];
  const health: { volume?: unknown; ready?: unknown } = JSON.parse(await (await fetch(`${url}/health`)).text());
  return { full, volume: health.volume, ready: health.ready };
}

test.skipIf(volume === null)('a full disk, or one that only reads: nothing that writes is begun, what is under way is handed back at no cost, and both go on when there is room', async () => {
  if (volume === null) return;
  const said: string[] = [];
  const note = (_fields: object, message: string) => void said.push(message);
  const longhaul = await startLonghaul(
    { ROLE: 'all', ARTIFACTS_DIR: volume.dir, OUTBOUND_ALLOW: '127.0.0.1,localhost' },
    { log: { ...silentLog, error: note, info: note } },
  );
  onTestFinished(() => longhaul.stop());
  const tenant = await Tenant.in(longhaul);
  const create = async (type: string, bytes: number) => {
    const source = await openSource(bytes);
    source.sendEach(Buffer.alloc(bytes));
    return tenant.create({ type, input: { sourceUrl: source.url }, maxAttempts: 1 });
  };
  const untilFull = () => eventually(async () => expect(await healthOf(longhaul)).toEqual({ full: '1', volume: 'full', ready: true }));
  const completed = { status: 'COMPLETED', failedAttempts: 0 };

  // Before any write fails.
  volume.fill(megabyte / 16);
  await untilFull();
  const waiting = await create('download', 1_000);
  const hashed = await create('fingerprint', 1_000);
  await eventually(async () => expect(await tenant.read(hashed.id)).toMatchObject(completed));
  expect(await tenant.read(waiting.id)).toMatchObject({ status: 'PENDING', attempt: 0 });
  volume.empty();
  await eventually(async () => expect(await tenant.read(waiting.id)).toMatchObject({ ...completed, attempt: 1 }));
  expect(await healthOf(longhaul)).toEqual({ full: '0', volume: 'writable', ready: true });

  // In the middle of a file.
  volume.fill(megabyte);
  const large = await create('download', 3 * megabyte);
  await untilFull();
  await eventually(async () => expect(await tenant.read(large.id)).toMatchObject({ status: 'PENDING', attempt: 1, failedAttempts: 0 }));
  expect(readdirSync(volume.dir, { recursive: true }).filter((name) => String(name).endsWith('.part'))).toEqual([]);
  const next = await create('download', 1_000);
  volume.empty();
  for (const { id } of [large, next]) await eventually(async () => expect(await tenant.read(id)).toMatchObject(completed));

  // It only reads, whatever room it has, as after an error of its file system; the first file of a workspace needs a folder.
  volume.setReadOnly(true);
  const other = await Tenant.in(longhaul);
  const source = await openSource(1_000);
  source.sendEach(Buffer.alloc(1_000));
  const first = await other.create({ type: 'download', input: { sourceUrl: source.url }, maxAttempts: 1 });
  await untilFull();
  await eventually(async () => expect(await other.read(first.id)).toMatchObject({ status: 'PENDING', failedAttempts: 0 }));
  volume.setReadOnly(false);
  await eventually(async () => expect(await other.read(first.id)).toMatchObject(completed));
  expect(said.filter((message) => message.startsWith('the store of the files'))).toEqual([
    'the store of the files is full, only reads or does not answer: no job that writes a file is begun here. See to it, or make room',
    'the store of the files takes files again',
    'the store of the files is full, only reads or does not answer: no job that writes a file is begun here. See to it, or make room',
    'the store of the files takes files again',
    'the store of the files is full, only reads or does not answer: no job that writes a file is begun here. See to it, or make room',
    'the store of the files takes files again',
  ]);
}, 90_000);

test.skipIf(volume === null)('a full SCRATCH_DIR holds up jobs of media alone: they are handed back at no cost and go on when there is room, and files are stored meanwhile', async () => {
  if (volume === null) return;
  const longhaul = await startLonghaul({ ROLE: 'all', SCRATCH_DIR: volume.dir, OUTBOUND_ALLOW: '127.0.0.1,localhost' });
  onTestFinished(() => longhaul.stop());
  const tenant = await Tenant.in(longhaul);
  const create = async (type: string, bytes: number) => {
    const source = await openSource(bytes);
    source.sendEach(Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt '), Buffer.alloc(bytes)]).subarray(0, bytes));
    return tenant.create({ type, input: { sourceUrl: source.url }, maxAttempts: 1 });
  };
  volume.fill(megabyte);
  const large = await create('fingerprint', 3 * megabyte);
  await eventually(async () => expect(await tenant.read(large.id)).toMatchObject({ status: 'PENDING', attempt: 1, failedAttempts: 0 }));
  expect(await healthOf(longhaul)).toEqual({ full: '0', volume: 'writable', ready: true });
  const stored = await create('download', 1_000);
  await eventually(async () => expect(await tenant.read(stored.id)).toMatchObject({ status: 'COMPLETED' }));
  expect(await tenant.read(large.id)).toMatchObject({ status: 'PENDING', attempt: 1 });
  volume.empty();
  await eventually(async () => expect(await tenant.read(large.id)).toMatchObject({ status: 'COMPLETED', failedAttempts: 0 }));
}, 90_000);
