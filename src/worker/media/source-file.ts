import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Attempt } from '../handler.ts';
import { openSource } from '../handlers/source.ts';

/**
 * Brings a source into a folder, where ffmpeg reads it: that reaches no other file and no host.
 *
 * @param name of the file; says nothing of its format, which its content tells
 * @throws HandlerError, as openSource does
 */
export async function bringSource(attempt: Attempt, url: string, { folder, name, maxBytes }: { folder: string; name: string; maxBytes: number }): Promise<{ filename: string }> {
  const source = await openSource({ ...attempt, job: { ...attempt.job, input: { sourceUrl: url } } }, { maxBytes });
  try {
    await pipeline(source.bytes, createWriteStream(join(folder, name), { flags: 'wx' }), { signal: attempt.signal });
    return { filename: source.filename };
  } catch (error) {
    attempt.signal.throwIfAborted();
    throw error;
  } finally {
    source.close();
  }
}
