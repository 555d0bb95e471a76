import { defineEntity, p } from '@mikro-orm/core';

/** A result file in ARTIFACTS_DIR. It is kept until it expires. */
export const ArtifactEntity = defineEntity({
  name: 'Artifact',
  tableName: 'artifact',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    jobId: p.uuid(),
    filename: p.text(),
    mediaType: p.text(),
    bytes: p.bigint('number'),
    sha256: p.text(),
    /** 24 hours after the job's end. */
    expiresAt: p.datetime(),
  },
  indexes: [{ name: 'artifact_expires_index', properties: ['expiresAt'] }],
});
