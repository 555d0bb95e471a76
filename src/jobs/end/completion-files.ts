import { firstOfKind } from '../../files/named-file.ts';
import type { ReadyCompletion } from '../model/context.ts';

/** How long a result file is kept after its job ends. */
const artifactHours = 24;

/** What the statement of completions with files has more than that of completions without. */
export interface FilesSql {
  /** Columns of `asked`. */
  asked: string;
  /** CTEs after `held`, which has what was asked of each job whose lease holds. */
  found: string;
  /** The CTE, like `held`, of the jobs to complete. */
  from: 'held' | 'ready';
  /** What a job is set to. */
  set: string;
  /** Columns of `ended`, which has the jobs that have completed. */
  returned: string;
  /** CTEs after it. */
  filed: string;
}

export const noFiles: FilesSql = { asked: '', found: '', from: 'held', set: '', returned: '', filed: '' };

/*
 * A job completes with all the uploads that were named or not at all: they are locked after their job, in order of their ids, and whoever
 * removes an upload deletes its row first. An upload becomes an artifact with the same id, so that its file stays where it is.
 *
 * The rows of the files are inserted from the changed job, so a completion that lost its lease records none. The expiry is in
 * whole seconds because the signed URL carries seconds and must be the same on every read.
 */
export const withFiles: FilesSql = {
  asked: ', artifact_id uuid, video_artifact_id uuid, image_artifact_id uuid, files jsonb, uploads uuid[]',
  found: `,
  uploaded AS MATERIALIZED (
    SELECT named.ordinal, upload.id
    FROM (
      SELECT held.ordinal, held.job_id, held.token, one.id
      FROM held CROSS JOIN LATERAL unnest(held.uploads) AS one(id) ORDER BY one.id
    ) AS named
    CROSS JOIN LATERAL (
      SELECT upload.id FROM upload
      WHERE upload.id = named.id AND upload.job_id = named.job_id AND upload.lease_token = named.token AND upload.sha256 IS NOT NULL
      FOR UPDATE
    ) AS upload
  ),
  ready AS MATERIALIZED (
    SELECT held.* FROM held
    WHERE (SELECT count(*) FROM uploaded WHERE uploaded.ordinal = held.ordinal) = coalesce(cardinality(held.uploads), 0)
  )`,
  from: 'ready',
  set: `artifact_id = held.artifact_id, video_artifact_id = held.video_artifact_id, image_artifact_id = held.image_artifact_id,
      artifact_expires_at = CASE WHEN held.artifact_id IS NOT NULL
        THEN date_trunc('second', now()) + interval '${artifactHours} hours' END,`,
  returned: ', held.files',
  filed: `,
  filed AS (
    INSERT INTO artifact (id, workspace_id, job_id, name, position, filename, media_type, bytes, sha256, expires_at)
    SELECT file.id, ended.workspace_id, ended.id, file.name, file.position, file.filename, file.media_type, file.bytes,
      file.sha256, ended.artifact_expires_at
    FROM ended CROSS JOIN LATERAL jsonb_to_recordset(ended.files) AS file(
      id uuid, name text, position int, filename text, media_type text, bytes bigint, sha256 text)
  ),
  taken AS (
    DELETE FROM upload USING ended, uploaded
    WHERE uploaded.ordinal = ended.ordinal AND upload.id = uploaded.id AND upload.workspace_id = ended.workspace_id
      AND upload.id = ANY (ARRAY(SELECT id FROM uploaded))
  )`,
};

export function hasFiles({ artifacts }: ReadyCompletion): boolean {
  return artifacts.length > 0;
}

/** The columns of `asked` for a completion with files. */
export function fieldsOfFiles({ artifacts, areUploads }: ReadyCompletion): object {
  return {
    artifact_id: artifacts[0]?.file.id,
    video_artifact_id: firstOfKind(artifacts, 'video'),
    image_artifact_id: firstOfKind(artifacts, 'image'),
    files: artifacts.map(({ name, file: { id, filename, mediaType, bytes, sha256 } }, position) => ({
      id, name, position, filename, media_type: mediaType, bytes, sha256,
    })),
    uploads: areUploads ? artifacts.map(({ file }) => file.id) : null,
  };
}
