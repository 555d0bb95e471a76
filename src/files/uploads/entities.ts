import { defineEntity, p } from '@mikro-orm/core';
import type { JsonValue } from '../../json.ts';

/**
 * A file on its way in. The row says how much of it there is: what the store has beyond that does not count. A completion that
 * takes it inserts an artifact with its id, and deletes this row in the same statement: the file stays where it is.
 */
export const UploadEntity = defineEntity({
  name: 'Upload',
  tableName: 'upload',
  properties: {
    id: p.uuid().primary(),
    workspaceId: p.uuid(),
    /** Whose upload it is, of those who came with access tokens: see `uploaderName`. Null for a key's or a worker's. */
    uploader: p.text().strictNullable(),
    /** The attempt whose result it is: its job and the secret of its lease. Null for the input of a job. */
    jobId: p.uuid().strictNullable(),
    leaseToken: p.uuid().strictNullable(),
    filename: p.text(),
    mediaType: p.text(),
    /** The size that was announced, by createUpload or with the last piece; null if it was not. */
    announcedBytes: p.bigint('number').strictNullable(),
    /** In lower-case hex. */
    announcedSha256: p.text().strictNullable(),

    receivedBytes: p.bigint('number').defaultRaw('0'),
    /** What it counts for in the workspace's quota. */
    reservedBytes: p.bigint('number').defaultRaw('0'),
    /** The state of the SHA-256 of what was received, in base64; null before the first byte. */
    hashState: p.text().strictNullable(),
    /** What the store keeps of it beside the number of bytes: `Kept.state`. */
    keptState: p.json<JsonValue>().strictNullable(),
    /** Who writes it, and when that was last heard of. Null while nobody does. */
    writer: p.uuid().strictNullable(),
    writtenAt: p.datetime().strictNullable(),
    /** Of all of it, in lower-case hex; null until it is complete. */
    sha256: p.text().strictNullable(),
    /** When the sweep looks at it next. See `sqlExpiry`. */
    expiresAt: p.datetime(),
  },
  indexes: [
    { name: 'upload_workspace_index', properties: ['workspaceId', 'id'] },
    { name: 'upload_expires_index', properties: ['expiresAt'] },
    { name: 'upload_lease_index', properties: ['jobId', 'leaseToken'], where: 'job_id IS NOT NULL' },
  ],
});

/** An upload that the input of a job names. Deleted with the job. */
export const JobUploadEntity = defineEntity({
  name: 'JobUpload',
  tableName: 'job_upload',
  properties: {
    jobId: p.uuid().primary(),
    /** Its place among those of the input, from 0. */
    ordinal: p.integer().primary(),
    workspaceId: p.uuid(),
    uploadId: p.uuid(),
    /** As it stands in the input: `upload:ID`, where the id has either form. */
    reference: p.text(),
  },
  indexes: [{ name: 'job_upload_index', properties: ['uploadId'] }],
});
