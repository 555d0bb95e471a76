import type { Handler } from '../handler.ts';
import { openSource } from './source.ts';

/** Downloads `input.sourceUrl` and stores the file as the job's artifact. Refuses files over `maxBytes`. */
export function createDownloadHandler({ maxBytes }: { maxBytes: number }): Handler {
  return async (attempt) => {
    const source = await openSource(attempt, { maxBytes });
    try {
      const artifact = await attempt.artifacts.save(source.bytes, {
        workspaceId: attempt.job.workspaceId,
        filename: source.filename,
        mediaType: source.mediaType,
        maxBytes,
        signal: attempt.signal,
      });
      const { filename, mediaType, bytes, sha256 } = artifact;
      return { output: { filename, mediaType, bytes, sha256, sourceUrl: source.sourceUrl }, artifact };
    } finally {
      source.close();
    }
  };
}
