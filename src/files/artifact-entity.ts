import { defineEntity, p } from '@mikro-orm/core';

/** The name of a file that was given none. */
export const mainName = 'file';

/** A result file of a job. It is kept until it expires. */
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
    /** What it is to the job. Processes of version 0.2.0 know of one file for each job, and give it no name. */
    name: p.text().default(mainName),
    /** Its place among the files of its job: 0 for the main one. */
    position: p.integer().default(0),
  },
  uniques: [{ name: 'artifact_name_unique', properties: ['jobId', 'name'] }],
  indexes: [{ name: 'artifact_expires_index', properties: ['expiresAt'] }],
});
