import type { StoredFile } from './result-files.ts';

/** Of one job. */
export const mostFiles = 100;

/** A file on its way into a job. */
export interface NamedFile {
  /** What it is to the job, for example video, thumbnail or subtitles; unique in the job. */
  name: string;
  file: StoredFile;
}

/** The id of the first file of a kind of media, for example `video`; null if there is none. */
export function firstOfKind(files: readonly NamedFile[], kind: string): string | null {
  return files.find(({ file }) => file.mediaType.toLowerCase().startsWith(`${kind}/`))?.file.id ?? null;
}
