import { createHash } from 'node:crypto';
import { v7 } from 'uuid';
import { createdAtOf, newId } from '../../database/ids.ts';

/*
 * The id of a file that another attempt may go on with follows from its job and its millisecond. A checkpoint, which a worker of
 * anybody's may have written, can then name no file but its own job's.
 */

export function newKeptFileId(jobId: string): string {
  return idOf(jobId, createdAtOf(newId()).getTime());
}

export function isKeptFileOf(jobId: string, id: string): boolean {
  return id === idOf(jobId, createdAtOf(id).getTime());
}

function idOf(jobId: string, msecs: number): string {
  const random = createHash('sha256').update(`${jobId} ${msecs}`).digest();
  return v7({ msecs, random: random.subarray(0, 16), seq: random.readUInt32BE(16) >>> 1 });
}
