import type { FileId } from '../store.ts';
import { KeptLostError } from '../errors.ts';
import { tailKeyOf } from './keys.ts';
import type { S3Client } from './s3-client.ts';
import { isMissing } from './s3-error.ts';
import { bytesOf, type S3State } from './s3-state.ts';

/**
 * Reads what no part holds into a buffer, and resolves to its length.
 *
 * @throws KeptLostError if it is not there
 */
export function readTail(client: S3Client, file: FileId, state: S3State, into: Buffer, signal: AbortSignal): Promise<number> {
  return client.insist(async () => {
    const key = tailKeyOf(file, bytesOf(state));
    const { body } = await client.openOnce({ method: 'GET', key }, signal).catch((error: unknown) => {
      throw isMissing(error) ? new KeptLostError(error) : error;
    });
    let read = 0;
    for await (const chunk of body) {
      if (read + chunk.length > state.tail) throw new KeptLostError();
      into.set(chunk, read);
      read += chunk.length;
    }
    if (read !== state.tail) throw new KeptLostError();
    return read;
  }, signal);
}
