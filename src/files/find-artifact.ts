import type { EntityManager } from '@mikro-orm/core';
import { validate as isUuid } from 'uuid';
import { ArtifactEntity } from './artifact-entity.ts';
import type { DownloadableArtifact } from './serving.ts';

/** Finds a file by id alone: the caller holds its signed URL, which only the job's own workspace was given. */
export async function findArtifact(em: EntityManager, id: string): Promise<DownloadableArtifact | null> {
  return isUuid(id) ? em.findOne(ArtifactEntity, { id }) : null;
}
