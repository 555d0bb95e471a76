import { Room } from '../../files/room.ts';
import { isNoRoom } from '../../files/stores/errors.ts';
import type { Log } from '../../log.ts';
import { type FoundEngine, findMediaEngine } from './engine.ts';
import { Media } from './media.ts';
import { Scratch } from './scratch.ts';

interface MediaOptions {
  ffmpegPath: string | null;
  scratchDir: string;
  /** Whether the configuration names it. */
  namesScratchDir: boolean;
  maxArtifactBytes: number;
}

/** What there is for jobs of media: all that they need, or what to do about it. */
interface OpenMedia {
  media: Media | null;
  /** A sentence for whoever creates such a job; null where nothing is missing. */
  missing: string | null;
  /** Whether there is room to work on them; null where none are worked on. */
  room: Room | null;
  stop(): Promise<void>;
}

/**
 * Looks for ffmpeg, and for room to work. Without them, jobs of media are left to others.
 *
 * @param works whether this process executes jobs; one that only serves takes no room
 * @throws Error for a folder that the configuration names and that cannot be used; a full one is waited for
 */
export async function openMedia({ ffmpegPath, scratchDir, namesScratchDir, maxArtifactBytes }: MediaOptions, { works, log }: { works: boolean; log: Log }): Promise<OpenMedia> {
  const { engine, missing }: FoundEngine = await findMediaEngine(ffmpegPath);
  const scratch = new Scratch(scratchDir);
  if (engine === null) {
    if (works) log.info({ missing }, 'no ffmpeg: jobs of media wait for other workers');
    return none(missing);
  }
  const media = new Media({ engine, scratch, maxBytes: maxArtifactBytes });
  if (!works) return { media, missing: null, room: null, stop: () => Promise.resolve() };
  try {
    await scratch.start();
  } catch (error) {
    if (namesScratchDir && !(error instanceof Error && isNoRoom(error.cause))) throw error;
    log.error({ err: error }, 'jobs of media wait for other workers: there is no room to work on them');
    return none('The built-in worker cannot write to its SCRATCH_DIR. Name a folder that it may write to, and start it again.');
  }
  log.info({ ffmpeg: engine.version }, 'found ffmpeg');
  const room = new Room(scratch, log, {
    loop: 'looking for room to work on media',
    full: 'SCRATCH_DIR is full or only reads: no job of media is begun here. See to it, or make room',
    free: 'SCRATCH_DIR has room again',
  });
  room.start();
  const stop = async () => {
    await room.loop.stop();
    await scratch.stop();
  };
  return { media, missing: null, room, stop };
}

function none(missing: string): OpenMedia {
  return { media: null, missing, room: null, stop: () => Promise.resolve() };
}
