import { validate as isUuid } from 'uuid';
import type { FileId } from '../store.ts';

/*
 * The keys of a file: `<workspace>/<id>` once it is complete, as on a disk. Until then `<workspace>/<id>.upload`, which names its
 * multipart upload, so that a list of objects shows all that there is (few services list uploads as Amazon does), and
 * `<workspace>/<id>.<bytes>.tail`, the bytes before that one which no part holds.
 */

/** @throws TypeError if an id is not a UUID */
export function keyOf({ workspaceId, id }: FileId): string {
  if (!isUuid(workspaceId) || !isUuid(id)) throw new TypeError('The key of a file needs the UUIDs of its workspace and of the file. Pass both.');
  return `${workspaceId}/${id}`;
}

export function markerKeyOf(file: FileId): string {
  return `${keyOf(file)}.upload`;
}

/** @param bytes of the whole file up to its end, so that another tail never has its key */
export function tailKeyOf(file: FileId, bytes: number): string {
  return `${keyOf(file)}.${bytes}.tail`;
}

/** The file that a key belongs to; null if it is not ours. */
export function fileOf(key: string): FileId | null {
  const [, workspaceId = '', id = ''] = /^([^/]+)\/([^/.]+)(?:\.upload|\.\d+\.tail)?$/.exec(key) ?? [];
  return isUuid(workspaceId) && isUuid(id) ? { workspaceId, id } : null;
}
