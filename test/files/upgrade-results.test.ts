import { expect, test } from 'vitest';
import { listArtifacts } from '../../src/files/artifacts.ts';
import { projectVydra } from '../../src/rest/vydra/vydra-job.ts';
import { oldDatabase, oldWorkspaceId as workspaceId, startOn } from '../support/old-database.ts';

const [film, picture, sound] = ['video/mp4', 'image/png', 'audio/wav'].map((mediaType, n) => ({ mediaType, id: `01a218ae-0000-7000-8000-0000000000a${n}` }));

/** Jobs with a file each, as version 0.1 left them. */
const completed = [film, picture, sound].map((file) => `
  INSERT INTO job (id, workspace_id, type, status, input, output, attempt, max_attempts, credits_charged, due_at, dispatch_at, started_at, finished_at, artifact_id, artifact_expires_at)
  VALUES ('${file?.id}', '${workspaceId}', 'download', 'COMPLETED', '{}', '{}', 1, 3, 1, now(), now(), now(), now(), '${file?.id}', now() + interval '1 h');
  INSERT INTO artifact (id, workspace_id, job_id, filename, media_type, bytes, sha256, expires_at)
  VALUES ('${file?.id}', '${workspaceId}', '${file?.id}', 'a', '${file?.mediaType}', 1, 'x', now() + interval '1 h');`).join('');

test('the files of an earlier version have a name, and show in Vydra as what they are', async () => {
  const { services } = await startOn(await oldDatabase(completed));
  const shown = async (id: string) => {
    const job = await services.jobs.find(workspaceId, id);
    if (job === null) throw new Error('the job is gone');
    const [artifact, ...others] = await listArtifacts(services.database.em(), workspaceId, [id]);
    expect([artifact, others]).toMatchObject([{ id, name: 'file', position: 0 }, []]);
    return projectVydra(job, services.links, services.clock.now()).output;
  };
  expect(await shown(film?.id ?? '')).toEqual({ videoUrl: expect.stringContaining(film?.id ?? 'none') });
  expect(await shown(picture?.id ?? '')).toEqual({ thumbnailUrl: expect.stringContaining(picture?.id ?? 'none') });
  expect(await shown(sound?.id ?? '')).toEqual({});
}, 180_000);
