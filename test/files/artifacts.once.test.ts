import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { v4 as uuidv4, version as uuidVersion } from 'uuid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { ResultFiles, type StoredFile } from '../../src/files/result-files.ts';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';
import { FileTooLargeError } from '../../src/files/stores/errors.ts';

const workspaceId = '0198c0de-0000-7000-8000-000000000001';
const never = new AbortController().signal;

let dir: string;
let store: DiskStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'longhaul-artifacts-'));
  store = new DiskStore(dir);
});

afterEach(() => rm(dir, { recursive: true }));

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half');
  throw new Error('source broke');
}

/** Every file below the directory, partial ones included. */
async function files(): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

function save(source: AsyncIterable<Uint8Array>, options: { maxBytes?: number; signal?: AbortSignal } = {}): Promise<StoredFile> {
  return new ResultFiles(store).save(source, { workspaceId, filename: 'a.txt', mediaType: 'text/plain', maxBytes: 1000, signal: never, ...options });
}

describe('the store', () => {
  test('a saved file is at its path with the size and hash that were reported', async () => {
    const written: number[] = [];
    const saved = await new ResultFiles(store).save(chunks('hello ', 'world'), {
      workspaceId,
      filename: 'a.txt',
      mediaType: 'text/plain',
      maxBytes: 11,
      signal: never,
      onBytes: (bytes) => written.push(bytes),
    });
    const sha256 = createHash('sha256').update('hello world').digest('hex');
    expect(saved).toEqual({ id: saved.id, workspaceId, filename: 'a.txt', mediaType: 'text/plain', bytes: 11, sha256 });
    expect(uuidVersion(saved.id)).toBe(7);
    expect(await readFile(store.path({ workspaceId, id: saved.id }), 'utf8')).toBe('hello world');
    expect(await files()).toEqual([saved.id]);
    expect(written).toEqual([6, 11]);
  });

  test('an empty file is a file', async () => {
    const saved = await save(chunks());
    expect(saved.bytes).toBe(0);
    expect(await readFile(store.path({ workspaceId, id: saved.id }), 'utf8')).toBe('');
  });

  test('while it is being written, a file is not at its path yet', async () => {
    let during: string[] = [];
    async function* watched(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      during = await files();
      yield Buffer.from('half');
    }
    const saved = await save(watched());
    expect(during).toEqual([`${saved.id}.kept.part`]);
  });

  test('nothing is left of a source that fails, whose error is passed on', async () => {
    await expect(save(failing())).rejects.toThrow('source broke');
    expect(await files()).toEqual([]);
  });

  test('nothing is left of a source over the limit, which is not read any further', async () => {
    let read = 0;
    let ended = false;
    async function* large(): AsyncGenerator<Uint8Array> {
      try {
        for (; ; read++) yield Buffer.alloc(10);
      } finally {
        ended = true;
      }
    }
    await expect(save(large(), { maxBytes: 25 })).rejects.toThrow(FileTooLargeError);
    expect({ read, ended, files: await files() }).toEqual({ read: 2, ended: true, files: [] });
  });

  test('nothing is left after an abort, even when the source hangs and never hears of it', async () => {
    const controller = new AbortController();
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      controller.abort(new Error('cancelled'));
      await new Promise(() => {});
    }
    await expect(save(hanging(), { signal: controller.signal })).rejects.toThrow('cancelled');
    expect(await files()).toEqual([]);
  });

  test('an abort after the last byte leaves nothing either', async () => {
    const controller = new AbortController();
    async function* aborting(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('whole');
      controller.abort(new Error('cancelled'));
    }
    await expect(save(aborting(), { signal: controller.signal })).rejects.toThrow('cancelled');
    expect(await files()).toEqual([]);
  });

  test('after an abort nothing is begun', async () => {
    await expect(save(chunks('a'), { signal: AbortSignal.abort(new Error('cancelled')) })).rejects.toThrow('cancelled');
    expect(await readdir(dir)).toEqual([]);
  });

  test('removing a file may be done twice', async () => {
    const { id } = await save(chunks('a'));
    await store.remove({ workspaceId, id });
    await store.remove({ workspaceId, id });
    expect(await files()).toEqual([]);
  });

  test.each([
    ['..', uuidv4()],
    ['../../etc', 'passwd'],
    [workspaceId, `${uuidv4()}/..`],
    [workspaceId, '.longhaul-volume'],
    [workspaceId, ''],
  ])('what is no UUID never becomes a path: %s, %s', async (workspace, id) => {
    expect(() => store.path({ workspaceId: workspace, id })).toThrow(TypeError);
    await expect(store.remove({ workspaceId: workspace, id })).rejects.toThrow(TypeError);
  });

  test('whole and half-written files are listed by workspace, and nothing else', async () => {
    const { id } = await save(chunks('whole'));
    const half = uuidv4();
    const folder = dirname(store.path({ workspaceId, id }));
    await writeFile(join(folder, `${half}.part`), 'half');
    for (const path of [join(folder, 'notes.txt'), join(dir, '.longhaul-volume')]) await writeFile(path, '');
    const found = [];
    for await (const { workspaceId: workspace, ids } of store.list()) found.push({ workspace, ids: ids.toSorted() });
    expect(found).toEqual([{ workspace: workspaceId, ids: [id, half].toSorted() }]);
    await store.remove({ workspaceId, id: half });
    expect((await readdir(folder)).toSorted()).toEqual([id, 'notes.txt'].toSorted());
  });
});

describe('the volume', () => {
  test('the first process claims it, the others find it', async () => {
    const fresh = new DiskStore(join(dir, 'deep', 'artifacts'));
    await fresh.bindToInstallation('installation-1', { mayClaim: true });
    await fresh.bindToInstallation('installation-1', { mayClaim: false });
    await fresh.bindToInstallation('installation-1', { mayClaim: true });
    expect(await files()).toEqual(['.longhaul-volume']);
  });

  test('many processes may claim it at the same time', async () => {
    const claims = Array.from({ length: 20 }, () => store.bindToInstallation('installation-1', { mayClaim: true }));
    await Promise.all(claims);
    expect(await files()).toEqual(['.longhaul-volume']);
  });

  test('of two installations that claim it at the same time, one is refused', async () => {
    const claims = ['one', 'two'].map((id) => store.bindToInstallation(id, { mayClaim: true }));
    const outcomes = await Promise.allSettled(claims);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test("another installation's volume is refused, also by who may claim", async () => {
    await store.bindToInstallation('installation-1', { mayClaim: true });
    for (const mayClaim of [true, false]) {
      await expect(store.bindToInstallation('installation-2', { mayClaim })).rejects.toThrow(
        /another installation.*ARTIFACTS_DIR must be the same volume for every process/,
      );
    }
  });

  test('an unmarked directory is refused by who may not claim, and stays as it was', async () => {
    await expect(store.bindToInstallation('installation-1', { mayClaim: false })).rejects.toThrow(
      /does not hold the artifacts.*ARTIFACTS_DIR must be the same volume for every process.*write installation-1 into .*\.longhaul-volume/,
    );
    expect(await files()).toEqual([]);
    // What the message says to do where the volume is lost.
    await writeFile(join(dir, '.longhaul-volume'), 'installation-1');
    await store.bindToInstallation('installation-1', { mayClaim: false });
  });

  test('a directory that is not there is refused by who may not claim, and not made', async () => {
    const missing = new DiskStore(join(dir, 'missing'));
    await expect(missing.bindToInstallation('installation-1', { mayClaim: false })).rejects.toThrow(/cannot be written to \(ENOENT\)/);
    expect(await readdir(dir)).toEqual([]);
  });

  test('a directory that cannot be written to is refused with the reason', async () => {
    await writeFile(join(dir, 'file'), '');
    const blocked = new DiskStore(join(dir, 'file'));
    await expect(blocked.bindToInstallation('installation-1', { mayClaim: true })).rejects.toThrow(/cannot be written to \(EEXIST\)/);
  });
});
