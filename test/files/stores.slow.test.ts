import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { FileTooLargeError, KeptLostError } from '../../src/files/stores/errors.ts';
import type { AppendOptions, FileId, Kept, Store } from '../../src/files/stores/store.ts';
import { contentOf, storeKinds, type StoreUnderTest } from '../support/stores.ts';

const never = new AbortController().signal;
const maxBytes = 64 * 1024 ** 2;

/** In pieces that fit no part. */
async function* pieces(content: Uint8Array, failure: Error | null = null): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += 333_333) yield content.subarray(at, at + 333_333);
  if (failure !== null) throw failure;
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function append(store: Store, file: FileId, kept: Kept | null, source: AsyncIterable<Uint8Array>, options: Partial<AppendOptions> = {}): Promise<Kept> {
  return store.append(file, kept, source, { signal: never, maxBytes, onKept: () => {}, ...options });
}

/** Appends what breaks off, and resolves to what is kept of it. */
async function appendBroken(store: Store, file: FileId, kept: Kept | null, content: Uint8Array, options: Partial<AppendOptions> = {}): Promise<Kept | null> {
  let last = kept;
  const onKept = (now: Kept) => void (last = now);
  const broken = new Error('the sender is gone');
  await expect(append(store, file, kept, pieces(content, broken), { onKept, ...options })).rejects.toBe(broken);
  // As a row has it.
  return JSON.parse(JSON.stringify(last));
}

describe.each(storeKinds)('%s', (_name, open) => {
  let opened: StoreUnderTest;
  let store: Store;
  let another: Store;
  let part: number;
  let content: Buffer;
  let file: FileId;

  beforeAll(async () => {
    opened = await open();
    ({ store, another, partBytes: part } = opened);
    content = randomBytes(2 * part + 12_345);
  });
  afterAll(() => opened.close());
  beforeEach(() => {
    file = { workspaceId: uuid(), id: uuid() };
    const { workspaceId } = file;
    onTestFinished(async () => {
      for await (const { ids } of of(workspaceId)) await Promise.all(ids.map((id) => store.remove({ workspaceId, id })));
      expect(await namesOf(workspaceId)).toEqual([]);
    });
  });

  async function* of(workspace: string) {
    for await (const batch of store.list()) if (batch.workspaceId === workspace) yield batch;
  }

  async function namesOf(workspace: string): Promise<string[]> {
    return (await opened.names()).filter((name) => name.startsWith(workspace)).map((name) => name.slice(workspace.length + 1));
  }

  async function listed(workspace: string): Promise<string[]> {
    const all = await Array.fromAsync(of(workspace), (batch) => batch.ids);
    return all.flat().toSorted();
  }

  describe('a file that is written', () => {
    test.each([
      ['nothing', () => 0],
      ['one byte', () => 1],
      ['a part', () => part],
      ['a part and a byte', () => part + 1],
      ['parts and a rest', () => 2 * part + 12_345],
    ])('can be read when it is finished, and not before: %s', async (_size, bytes) => {
      const whole = content.subarray(0, bytes());
      for (const endsFile of [false, true]) {
        const one = { ...file, id: uuid() };
        const seen: number[] = [];
        const kept = await append(store, one, null, pieces(whole), { endsFile, onBytes: (now) => seen.push(now) });
        expect(kept).toMatchObject({ bytes: whole.length });
        expect(seen.at(-1) ?? 0).toBe(whole.length);
        if (!endsFile) expect(await another.open(one)).toBeNull();
        expect(await another.finish(one, kept)).toEqual({ bytes: whole.length, sha256: sha256(whole) });
        expect((await contentOf(another, one))?.equals(whole)).toBe(true);
      }
      expect(await namesOf(file.workspaceId)).toEqual(await listed(file.workspaceId));
    });

    test('may be finished twice, by different processes', async () => {
      for (const bytes of [100, content.length]) {
        const kept = await append(store, file, null, pieces(content.subarray(0, bytes)));
        const done = await store.finish(file, kept);
        expect(await another.finish(file, kept)).toEqual(done);
        expect(await contentOf(store, file)).toHaveLength(bytes);
      }
    });

    test('was written just now', async () => {
      await store.finish(file, await append(store, file, null, pieces(content.subarray(0, 100))));
      const written = await store.open(file);
      await written?.close();
      // A bucket tells whole seconds.
      expect(Math.abs((written?.modified.getTime() ?? 0) - Date.now())).toBeLessThan(5_000);
    });

    test('is read in ranges', async () => {
      await store.finish(file, await append(store, file, null, pieces(content)));
      const last = content.length - 1;
      for (const [start, end] of [[0, 0], [0, 99], [part - 10, part + 10], [last, last], [1, last], [0, last]] as const) {
        const read = await contentOf(another, file, { start, end });
        expect(read?.equals(content.subarray(start, end + 1))).toBe(true);
      }
    });

    test('and that nobody reads to its end is no trouble', async () => {
      await store.finish(file, await append(store, file, null, pieces(content)));
      const unread = await store.open(file);
      await unread?.close();
      await unread?.close();
      const stream = (await store.open(file))?.read();
      for await (const chunk of stream ?? []) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(stream?.destroyed).toBe(true);
    });
  });

  describe('a source that breaks off', () => {
    test.each([
      ['at once', () => 0],
      ['after a byte', () => 1],
      ['before the end of a part', () => part - 1],
      ['at the end of a part', () => part],
      ['after the end of a part', () => part + 1],
      ['in a later part', () => 2 * part + 1],
    ])('loses nothing of what came: %s', async (_where, cut) => {
      const at = cut();
      const kept = await appendBroken(store, file, null, content.subarray(0, at));
      expect(kept).toMatchObject({ bytes: at });
      if (kept === null) return;
      expect(await another.has(file, kept)).toBe(true);
      expect(await another.open(file)).toBeNull();
      // And again, a few bytes later.
      const more = await appendBroken(another, file, kept, content.subarray(at, at + 77));
      expect(more).toMatchObject({ bytes: at + 77 });
      const whole = await append(store, file, more, pieces(content.subarray(at + 77)), { endsFile: true });
      expect(await another.finish(file, whole)).toEqual({ bytes: content.length, sha256: sha256(content) });
      expect((await contentOf(store, file))?.equals(content)).toBe(true);
      expect(await namesOf(file.workspaceId)).toEqual([file.id]);
    });

    test('many times in a row, and the rest is only that', async () => {
      let kept: Kept | null = null;
      for (let at = 0; at < content.length; at += 400_001) kept = await appendBroken(at % 2 === 0 ? store : another, file, kept, content.subarray(at, at + 400_001));
      expect(kept).toMatchObject({ bytes: content.length });
      if (kept !== null) expect(await store.finish(file, kept)).toEqual({ bytes: content.length, sha256: sha256(content) });
      expect((await contentOf(store, file))?.equals(content)).toBe(true);
      expect(await namesOf(file.workspaceId)).toEqual([file.id]);
    });

    test('leaves nothing of a new file where nobody is told', async () => {
      for (const bytes of [100, content.length]) {
        const failing = store.append(file, null, pieces(content.subarray(0, bytes), new Error('gone')), { signal: never, maxBytes });
        await expect(failing).rejects.toThrow('gone');
        expect(await namesOf(file.workspaceId)).toEqual([]);
      }
    });

    test('keeps nothing where it is all or nothing, and what was kept before stays', async () => {
      expect(await appendBroken(store, file, null, content, { allOrNothing: true })).toBeNull();
      expect(await namesOf(file.workspaceId)).toEqual([]);
      const kept = await appendBroken(store, file, null, content.subarray(0, part + 10));
      expect(await appendBroken(store, file, kept, randomBytes(2 * part), { allOrNothing: true })).toEqual(kept);
      const whole = await append(another, file, kept, pieces(content.subarray(part + 10)), { allOrNothing: true });
      expect(await store.finish(file, whole)).toEqual({ bytes: content.length, sha256: sha256(content) });
      expect((await contentOf(store, file))?.equals(content)).toBe(true);
    });
  });

  test('what was not accepted is written over', async () => {
    const kept = await appendBroken(store, file, null, content.subarray(0, part + 10));
    const refused = new Error('no writer of it any more');
    const onKept = () => Promise.reject(refused);
    await expect(append(store, file, kept, pieces(randomBytes(2 * part)), { onKept })).rejects.toBe(refused);
    const whole = await append(another, file, kept, pieces(content.subarray(part + 10)));
    expect(await another.finish(file, whole)).toEqual({ bytes: content.length, sha256: sha256(content) });
    expect((await contentOf(store, file))?.equals(content)).toBe(true);
  });

  test('a file begun anew is that one', async () => {
    await appendBroken(store, file, null, randomBytes(part + 10));
    const kept = await append(another, file, null, pieces(content));
    expect(await store.finish(file, kept)).toEqual({ bytes: content.length, sha256: sha256(content) });
    expect((await contentOf(store, file))?.equals(content)).toBe(true);
  });

  test('a file over the limit is refused at that chunk, and keeps what fits', async () => {
    await expect(store.append(file, null, pieces(content), { signal: never, maxBytes: content.length - 1 })).rejects.toThrow(FileTooLargeError);
    expect(await namesOf(file.workspaceId)).toEqual([]);
    const kept = await append(store, file, null, pieces(content.subarray(0, part)));
    await expect(append(store, file, kept, pieces(content), { maxBytes: part + 10 })).rejects.toThrow(FileTooLargeError);
    expect(await store.has(file, kept)).toBe(true);
  });

  test('an abort ends the appending at once, though the source hangs and never hears of it', async () => {
    for (const told of [false, true]) {
      const controller = new AbortController();
      async function* hanging(): AsyncGenerator<Uint8Array> {
        yield content.subarray(0, part + 10);
        controller.abort(new Error('cancelled'));
        await new Promise(() => {});
      }
      let kept: Kept | null = null;
      const onKept = told ? { onKept: (now: Kept) => void (kept = now) } : {};
      await expect(store.append(file, null, hanging(), { signal: controller.signal, maxBytes, ...onKept })).rejects.toThrow('cancelled');
      if (told) expect(kept).toMatchObject({ bytes: part + 10 });
      else expect(await namesOf(file.workspaceId)).toEqual([]);
    }
  });

  test('a removed file is gone, complete or not, whatever is known of it', async () => {
    const known: ((kept: Kept) => Kept | null | undefined)[] = [(kept) => kept, () => undefined];
    for (const bytes of [0, 100, part + 10]) {
      for (const what of known) {
        const kept = await append(store, file, null, pieces(content.subarray(0, bytes)));
        await another.remove(file, what(kept));
        await another.remove(file, what(kept));
        expect(await namesOf(file.workspaceId)).toEqual([]);
        if (bytes > 0) expect(await store.has(file, kept)).toBe(false);
      }
      for (const what of [...known, () => null]) {
        const kept = await append(store, file, null, pieces(content.subarray(0, bytes)));
        await store.finish(file, kept);
        await another.remove(file, what(kept));
        await another.remove(file, what(kept));
        expect(await store.open(file)).toBeNull();
        expect(await namesOf(file.workspaceId)).toEqual([]);
      }
    }
  });

  test('what was kept and is gone is said to be lost', async () => {
    for (const bytes of [100, part + 10]) {
      const kept = await append(store, file, null, pieces(content.subarray(0, bytes)));
      await another.remove(file);
      expect(await store.has(file, kept)).toBe(false);
      await expect(append(store, file, kept, pieces(content))).rejects.toThrow(KeptLostError);
      await expect(store.finish(file, kept)).rejects.toThrow(KeptLostError);
    }
  });

  test('all files are listed, complete and not, each once', async () => {
    const ids = Array.from({ length: 5 }, () => uuid());
    const [done, half, parts, resumed] = ids.map((id) => ({ ...file, id }));
    if (done === undefined || half === undefined || parts === undefined || resumed === undefined) throw new Error('too few ids');
    await store.finish(done, await append(store, done, null, pieces(content)));
    await append(store, half, null, pieces(content.subarray(0, 100)));
    await append(store, parts, null, pieces(content.subarray(0, part + 10)));
    await append(store, resumed, await appendBroken(store, resumed, null, content.subarray(0, 50)), pieces(content.subarray(50, 90)));
    expect(await listed(file.workspaceId)).toEqual([done, half, parts, resumed].map(({ id }) => id).toSorted());
  });

  test('what is no UUID is no file', async () => {
    for (const wrong of [{ workspaceId: '..', id: uuid() }, { ...file, id: 'passwd' }, { ...file, id: `${uuid()}/..` }, { ...file, id: '' }]) {
      await expect(store.open(wrong)).rejects.toThrow(TypeError);
      await expect(store.remove(wrong)).rejects.toThrow(TypeError);
      await expect(append(store, wrong, null, pieces(content))).rejects.toThrow(TypeError);
    }
    expect(await store.open({ workspaceId: file.workspaceId, id: uuid() })).toBeNull();
  });

  test('one installation claims it, and no other may use it', async () => {
    await expect(store.bindToInstallation('one', { mayClaim: false })).rejects.toThrow(/one into .*\.longhaul-volume/);
    await store.bindToInstallation('one', { mayClaim: true });
    await another.bindToInstallation('one', { mayClaim: false });
    await another.bindToInstallation('one', { mayClaim: true });
    await expect(another.bindToInstallation('two', { mayClaim: true })).rejects.toThrow(/another installation/);
    expect((await opened.names()).filter((name) => name.startsWith('.'))).toEqual(['.longhaul-volume']);
  });

  test('its place is told', async () => {
    expect(store.place).toMatch(/^\/|^s3:\/\/files\/some where\/ at http/);
    expect(store.place).not.toContain('S3RVER');
    expect(await store.redirect(file, { mediaType: 'text/plain', disposition: 'attachment' }, 60)).toBeNull();
  });
});
