import { ConnectionError, errorOf, NotFoundError } from './errors.ts';
import type { Job } from './job.ts';
import { link, type RunningLimits } from './limits.ts';
import { type Patience, pauseAfter } from './tries.ts';
import type { TransferProgress } from './uploaded-file.ts';

/** A result file, to be read once. */
export interface Download {
  filename: string;
  mediaType: string;
  /** Null where the file is not one of the job's artifacts and its server does not say. */
  bytes: number | null;
  /** SHA-256 in hex, as the server stored it; null where it is not one of the job's artifacts. */
  sha256: string | null;
  /** Goes on by itself where a connection breaks. Cancelling it leaves nothing behind. */
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** All of it, in place of `stream`. */
  blob(): Promise<Blob>;
}

/**
 * Opens a result file.
 *
 * @param read reads the job, and with it a fresh link
 * @param name of the artifact; the main one where not given
 */
export function download(read: (signal: AbortSignal) => Promise<Job>, name: string | undefined, options: DownloadOptions): Promise<Download> {
  return downloadFrom(async (signal) => fileOf(await read(signal), name), options);
}

interface DownloadOptions {
  fetch: typeof fetch;
  limits: RunningLimits;
  /** Where not given, `usual`. */
  patience?: Patience;
  onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** The same for any file. @param find says where it is, each time that it is opened */
export async function downloadFrom(
  find: (signal: AbortSignal) => Promise<RemoteFile>,
  { fetch: fetcher, limits, patience = 'usual', onProgress }: DownloadOptions,
): Promise<Download> {
  const linked = link([limits]);
  const { signal } = linked;
  /** In a row, without a byte. */
  let failures = 0;
  const pauseBefore = (error: unknown) => pauseAfter(error, (failures += 1), signal, patience);
  const open = async (offset: number) => {
    for (;;) {
      try {
        const file = await find(signal);
        return { file, response: await get(fetcher, file.url, offset, signal) };
      } catch (error) {
        await pauseBefore(error);
      }
    }
  };
  const first = await open(0).catch((error: unknown) => {
    linked.release();
    throw error;
  });
  const { file } = first;
  const total = file.bytes ?? (Number(first.response.headers.get('content-length')) || null);
  const bytes = (async function* () {
    let { response } = first;
    let offset = 0;
    try {
      for (;;) {
        try {
          for await (const part of partsOf(response)) {
            offset += part.length;
            failures = 0;
            onProgress?.({ done: offset, total: total ?? offset });
            yield part;
          }
          if (total !== null && offset < total) throw new ConnectionError('The file broke off.');
          return;
        } catch (error) {
          await pauseBefore(error);
          ({ response } = await open(offset));
        }
      }
    } finally {
      linked.abort(new ConnectionError('It was left.'));
    }
  })();
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: async (controller) => {
      const { done, value } = await bytes.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => {
      linked.abort(new ConnectionError('It was left.'));
      await bytes.return();
    },
  }, { highWaterMark: 0 });
  const { filename, mediaType, sha256 } = file;
  return { filename, mediaType, sha256, bytes: total, stream, blob: () => new Response(stream, { headers: { 'content-type': mediaType } }).blob() };
}

/** Where a file is, and what it is. */
interface RemoteFile {
  url: string;
  filename: string;
  mediaType: string;
  bytes: number | null;
  sha256: string | null;
}

function fileOf(job: Job, name: string | undefined): RemoteFile {
  const artifact = name === undefined ? job.artifacts[0] : job.artifacts.find((one) => one.name === name);
  if (artifact !== undefined) return artifact;
  if (name === undefined && job.downloadUrl !== null) {
    const filename = decodeURIComponent(new URL(job.downloadUrl).pathname.split('/').at(-1) ?? '') || 'file';
    return { url: job.downloadUrl, filename, mediaType: 'application/octet-stream', bytes: null, sha256: null };
  }
  const message = `The job is ${job.status} and has no ${name === undefined ? 'file' : `file ${name}`}. Files are there when it has COMPLETED, until they expire.`;
  throw new NotFoundError({ code: 'NOT_FOUND', message });
}

async function get(fetcher: typeof fetch, url: string, offset: number, signal: AbortSignal): Promise<Response> {
  const response = await fetcher(url, { headers: offset === 0 ? {} : { range: `bytes=${offset}-` }, signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new ConnectionError('The file could not be reached.', { cause });
  });
  if (response.status === (offset === 0 ? 200 : 206)) return response;
  await response.body?.cancel();
  if (response.status >= 500 || response.status === 429) {
    const after = Number(response.headers.get('retry-after'));
    throw errorOf({ code: 'UNAVAILABLE', message: `The file cannot be had now (${response.status}).`, ...(after > 0 ? { retryAfter: after * 1_000 } : {}) });
  }
  throw errorOf({ code: 'NOT_FOUND', message: `The file cannot be had (${response.status}). Download it again from the start.` });
}

async function* partsOf({ body }: Response): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new ConnectionError('The file broke off.', { cause });
      });
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
