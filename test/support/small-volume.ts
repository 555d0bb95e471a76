import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A volume of a few megabytes, which a test can fill. */
interface SmallVolume {
  dir: string;
  /** Leaves so many bytes. */
  fill(leaving: number): void;
  empty(): void;
  setReadOnly(isReadOnly: boolean): void;
  unmount(): void;
}

/** Null where nothing may be mounted, as in a container without CAP_SYS_ADMIN. */
export function mountSmallVolume(bytes: number): SmallVolume | null {
  const dir = mkdtempSync(join(tmpdir(), 'longhaul-volume-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0777`, 'tmpfs', dir], { stdio: 'pipe' });
  } catch {
    rmSync(dir, { recursive: true });
    process.stderr.write('Nothing can be mounted here: the scenarios of a full disk are left out. Run them as root.\n');
    return null;
  }
  const filler = join(dir, 'filler');
  return {
    dir,
    fill: (leaving) => writeFileSync(filler, Buffer.alloc(bytes - leaving)),
    empty: () => rmSync(filler),
    setReadOnly: (isReadOnly) => void execFileSync('mount', ['-o', isReadOnly ? 'remount,ro' : 'remount,rw', dir]),
    unmount: () => {
      execFileSync('umount', [dir]);
      rmSync(dir, { recursive: true });
    },
  };
}
