import { httpUrl } from '../../input.ts';
import type { Job } from '../model/job.ts';
import { isJsonObject } from '../../json.ts';
import type { ArtifactLinks } from '../../files/links.ts';

/** Fields of an output that name its main file, in order of preference. */
const fields = [
  'downloadUrl',
  'download_url',
  'videoUrl',
  'video_url',
  'audioUrl',
  'audio_url',
  'fileUrl',
  'file_url',
  'url',
];

/** What of a job tells its own file. */
type WithFile = Pick<Job, 'artifactId' | 'artifactExpiresAt'>;

/** Where a job's result can be downloaded. */
interface MainFile {
  url: string;
  /** Null for a URL of somebody else's. */
  expiresAt: Date | null;
}

/**
 * The main file of a job, by the one rule of all surfaces: its artifact, else the first URL that its worker put into the
 * output. Null if there is none, and once the artifact has expired.
 */
export function mainFile(job: WithFile & Pick<Job, 'output'>, links: ArtifactLinks, at: Date): MainFile | null {
  if (job.artifactId !== null) return ownFile(job, links, at);
  const { output } = job;
  if (!isJsonObject(output)) return null;
  for (const field of fields) {
    const url = httpUrl.safeParse(output[field]);
    if (url.success) return { url: url.data, expiresAt: null };
  }
  return null;
}

/** An artifact of a job, the main one where no other is named; null if it has none, or it has expired. */
export function ownFile(
  { artifactId, artifactExpiresAt: expiresAt }: WithFile,
  links: ArtifactLinks,
  at: Date,
  id: string | null = artifactId,
): (MainFile & { expiresAt: Date }) | null {
  return id === null || expiresAt === null || expiresAt <= at ? null : { url: links.sign({ id, expiresAt }), expiresAt };
}
