import { findMediaEngine } from '../worker/media/engine.ts';
import type { Finding } from './examination.ts';

const part = 'ffmpeg';

/** Whether the ffmpeg that FFMPEG_PATH names works. Where it names none, being without one is no damage. */
export async function examineMedia(ffmpegPath: string | null): Promise<Finding> {
  const { engine, missing } = await findMediaEngine(ffmpegPath);
  if (engine !== null) return { part, damages: [], skipped: null, seen: `version ${engine.version}` };
  if (ffmpegPath === null) return { part, damages: [], skipped: `jobs of media wait for workers of your own. ${missing}` };
  return { part, damages: [{ what: missing, remedy: 'Until then, jobs of media wait for workers of your own.' }], skipped: null };
}
