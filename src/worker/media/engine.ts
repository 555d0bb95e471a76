import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** The programs that work on media, as they were found at start. */
export interface MediaEngine {
  /** Absolute paths. */
  ffmpeg: string;
  ffprobe: string;
  /** As ffmpeg says it, for example `5.1.9-0+deb12u1`. */
  version: string;
  /** Whether it can make prints of sound (chromaprint). */
  hasChromaprint: boolean;
}

/** What was found of it, or what to do about that. */
export type FoundEngine = { engine: MediaEngine; missing: null } | { engine: null; missing: string };

/** What every handler needs of ffmpeg, as its build is configured. Jobs would fail half-way without one of them. */
const needed = ['libx264', 'libvpx', 'libopus', 'libmp3lame', 'libass'] as const;

const remedy = 'Install ffmpeg (Debian: apt-get install ffmpeg), or name the program in FFMPEG_PATH, and start the worker again.';

/**
 * Looks for ffmpeg, and ffprobe beside it, in FFMPEG_PATH, else in the PATH. Never rejects: without them the built-in worker leaves
 * jobs of media to others.
 *
 * @param path FFMPEG_PATH; null for the first one in the PATH
 */
export async function findMediaEngine(path: string | null, searched = process.env['PATH'] ?? ''): Promise<FoundEngine> {
  const ffmpeg = path ?? (await findProgram('ffmpeg', searched));
  if (ffmpeg === null) return { engine: null, missing: `ffmpeg is not in the PATH. ${remedy}` };
  const ffprobe = join(dirname(ffmpeg), 'ffprobe');
  if (!(await isProgram(ffmpeg))) return { engine: null, missing: `FFMPEG_PATH names no program. ${remedy}` };
  if (!(await isProgram(ffprobe))) return { engine: null, missing: `There is ffmpeg, but no ffprobe beside it. ${remedy}` };
  try {
    const said = await versionOf(ffmpeg);
    const version = /^ffmpeg version (\S+)/.exec(said)?.[1];
    if (version === undefined) return { engine: null, missing: `What was found as ffmpeg is another program. ${remedy}` };
    const has = (library: string) => new RegExp(`--enable-${library}(?!\\S)`).test(said);
    const lacking = needed.filter((library) => !has(library));
    if (lacking.length > 0) return { engine: null, missing: `ffmpeg ${version} was built without ${lacking.join(', ')}. ${remedy}` };
    return { engine: { ffmpeg, ffprobe, version, hasChromaprint: has('chromaprint') }, missing: null };
  } catch {
    return { engine: null, missing: `ffmpeg does not run. ${remedy}` };
  }
}

async function versionOf(ffmpeg: string): Promise<string> {
  const { stdout } = await promisify(execFile)(ffmpeg, ['-version'], { timeout: 20_000 });
  return stdout;
}

/** The path of the first program of a name in the folders of a PATH; null if there is none. */
export async function findProgram(name: string, searched: string): Promise<string | null> {
  for (const folder of searched.split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && (await isProgram(path))) return path;
  }
  return null;
}

/** Whether there is a file that this process may execute. */
export async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
