import { isUploadedBy, type Upload } from '../../files/uploads/upload.ts';
import { tokenOwnerOf } from '../../workspaces/viewer.ts';
import type { Seen } from './visible-job.ts';

/** Null if there is none that the caller may see: an access token sees those of its key and its first tag. */
export async function findVisibleUpload({ uploads, viewer }: Pick<Seen, 'uploads' | 'viewer'>, id: string): Promise<Upload | null> {
  const upload = await uploads.find(viewer.workspaceId, id);
  if (upload === null || viewer.restriction === null) return upload;
  const owner = tokenOwnerOf(viewer);
  return owner !== null && isUploadedBy(upload, owner) ? upload : null;
}
