import { mainName } from '../../files/artifact-entity.ts';
import type { Keeping } from '../../files/result-files.ts';
import { KeptLostError, NoRoomError } from '../../files/stores/errors.ts';
import type { Kept } from '../../files/stores/store.ts';
import { type Attempt, type Handler, HandlerError, JobOver, type Result } from '../handler.ts';
import { newKeptFileId } from './kept-file.ts';
import { type Leftover, readLeftover } from './leftover.ts';
import type { Source } from './opened-source.ts';
import { openSource } from './source.ts';

/**
 * Downloads `input.sourceUrl` and stores the file as the job's artifact. Refuses files over `maxBytes`. An attempt that follows
 * one that broke off asks for the rest alone, where the source can tell that it still has the same file.
 */
export function createDownloadHandler({ maxBytes }: { maxBytes: number }): Handler {
  return async (attempt) => {
    const left = await findLeftover(attempt);
    try {
      return await download(attempt, left, maxBytes);
    } catch (error) {
      // A bucket may have dropped it, which shows only when it is gone on with.
      if (left === null || !(error instanceof KeptLostError)) throw error;
      return download(attempt, null, maxBytes);
    }
  };
}

async function download(attempt: Attempt, left: Leftover | null, maxBytes: number): Promise<Result> {
  const { job, artifacts, signal } = attempt;
  const source = await openSource(attempt, { maxBytes, left });
  const leaving = new Leaving(attempt, source, left);
  try {
    const artifact = await artifacts.save(leaving.rest(), {
      workspaceId: job.workspaceId,
      filename: source.filename,
      mediaType: source.mediaType,
      maxBytes,
      signal,
      ...leaving.options,
    });
    await leaving.removeEarlier();
    const { filename, mediaType, bytes, sha256 } = artifact;
    attempt.log.info('stored the file', { filename, mediaType, bytes, sha256 });
    return { output: { filename, mediaType, bytes, sha256, sourceUrl: source.sourceUrl }, artifacts: [{ name: mainName, file: artifact }] };
  } catch (error) {
    // There may be room for the file without it.
    if (error instanceof NoRoomError) await leaving.removeEarlier();
    throw error;
  } finally {
    source.close();
  }
}

async function findLeftover({ job, artifacts, checkpoint }: Attempt): Promise<Leftover | null> {
  const left = readLeftover(job.id, await checkpoint());
  return left !== null && (await artifacts.has({ workspaceId: job.workspaceId, id: left.file }, left.kept)) ? left : null;
}

/** What this attempt leaves to the next one: more of the same file, or another one in place of it. */
class Leaving {
  readonly #attempt: Attempt;
  readonly #source: Source;
  readonly #file: string;
  /** What this attempt goes on after. */
  readonly #left: Kept | null;
  /** The file that it does not go on with. */
  #earlier: string | null;

  constructor(attempt: Attempt, source: Source, left: Leftover | null) {
    this.#attempt = attempt;
    this.#source = source;
    const goesOn = left !== null && source.from > 0;
    this.#file = goesOn ? left.file : newKeptFileId(attempt.job.id);
    this.#left = goesOn ? left.kept : null;
    this.#earlier = goesOn ? null : (left?.file ?? null);
  }

  /** What comes after that. Of a file that is there already, the source was asked for the last byte. */
  async *rest(): AsyncGenerator<Uint8Array, void> {
    let known = (this.#left?.bytes ?? 0) - this.#source.from;
    for await (const chunk of this.#source.bytes) {
      const fresh = chunk.subarray(known);
      known -= chunk.byteLength - fresh.byteLength;
      if (fresh.byteLength > 0) yield fresh;
    }
  }

  /** None if no other attempt could tell that it goes on with the same file. */
  get options(): { keeping?: Keeping } {
    const { validator } = this.#source;
    if (validator === null) return {};
    const keeping = {
      id: this.#file,
      left: this.#left,
      onKept: (kept: Kept) => this.#keep(kept, validator).catch(() => undefined),
      outlives: (error: unknown) => !(error instanceof JobOver || (error instanceof HandlerError && !error.retryable)),
    };
    return { keeping };
  }

  /** May be called twice. */
  async removeEarlier(): Promise<void> {
    const { job, artifacts } = this.#attempt;
    const id = this.#earlier;
    this.#earlier = null;
    if (id !== null) await artifacts.remove({ workspaceId: job.workspaceId, id });
  }

  async #keep({ bytes, sha256, state }: Kept, validator: string): Promise<void> {
    const { total, filename, mediaType } = this.#source;
    if (bytes <= (this.#left?.bytes ?? 0)) return;
    const kept = { bytes, sha256, state };
    if (await this.#attempt.keep({ file: this.#file, kept, total, validator, filename, mediaType })) await this.removeEarlier();
  }
}
