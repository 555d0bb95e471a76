import { type EntityManager, raw } from '@mikro-orm/core';
import type { Shown } from '../database/columns.ts';
import { ArtifactEntity } from './artifact-entity.ts';

/** A result file of a job. */
export type Artifact = Shown<typeof ArtifactEntity>;

/** Returns null if the file does not exist, has expired, or belongs to another workspace. */
export function findArtifactOf(em: EntityManager, workspaceId: string, id: string): Promise<Artifact | null> {
  return em.findOne(ArtifactEntity, { id, workspaceId, ...notExpired() });
}

/** The files of several jobs of a workspace that have not expired, in the order of each job. */
export function listArtifacts(em: EntityManager, workspaceId: string, jobIds: readonly string[]): Promise<Artifact[]> {
  return em.find(ArtifactEntity, { workspaceId, jobId: { $in: [...jobIds] }, ...notExpired() }, { orderBy: { jobId: 'ASC', position: 'ASC' } });
}

/** By the database's clock, as for all surfaces. */
function notExpired() {
  return { expiresAt: { $gt: raw('now()') } };
}
