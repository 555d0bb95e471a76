import { backfill, concurrently, type Migration, sql } from '../migrate/step.ts';

/** Several files of a job. The file of a job that has ended shows as a video or an image as before. */
export const artifacts: Migration = {
  name: '2026-11-27-artifacts',
  oldestVersion: '0.2.0',
  steps: [
    sql('artifact.name', `alter table "artifact" add column "name" text not null default 'file', add column "position" int not null default 0`),
    concurrently('artifact_name_unique', `"artifact" ("job_id", "name")`, { unique: true }),
    sql('job.video_artifact_id', `alter table "job" add column "video_artifact_id" uuid null, add column "image_artifact_id" uuid null`),
    backfill('job.video_artifact_id', {
      table: 'artifact',
      key: { id: 'uuid' },
      where: `"media_type" like 'video/%' or "media_type" like 'image/%'`,
      statement: `update "job" set
        "video_artifact_id" = case when "artifact"."media_type" like 'video/%' then "artifact"."id" end,
        "image_artifact_id" = case when "artifact"."media_type" like 'image/%' then "artifact"."id" end
      from "artifact" join batch using ("id") where "job"."id" = "artifact"."job_id" and "job"."artifact_id" = "artifact"."id"`,
    }),
  ],
};
