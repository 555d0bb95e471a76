import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../../../database/ids.ts';
import { systemCode } from '../errors.ts';

const marker = '.longhaul-volume';
const advice = 'ARTIFACTS_DIR must be the same volume for every process of an installation.';

/**
 * Verifies that `dir` is writable and belongs to this installation. A marker file in it names the installation. With
 * `mayClaim`, a missing directory and marker are created. Without it they are an error, because this process then sees
 * a different volume than the processes before it.
 *
 * @throws Error that says what to change.
 */
export async function bindVolume(dir: string, installationId: string, { mayClaim }: { mayClaim: boolean }): Promise<void> {
  if (mayClaim) await mkdir(dir, { recursive: true }).catch(unusable(dir));
  // Write a temporary file first: the marker must appear complete, or a second process could read an empty name.
  const own = join(dir, `${marker}.${newId()}`);
  await writeFile(own, `${installationId}\n`).catch(unusable(dir));
  try {
    if (mayClaim) await link(own, join(dir, marker)).catch(ignore('EEXIST'));
  } finally {
    await rm(own, { force: true });
  }
  const owner = await readFile(join(dir, marker), 'utf8').catch(ignore('ENOENT'));
  if (owner === undefined) {
    throw new Error(
      `${dir} does not hold the artifacts of this installation. ${advice} Mount that volume here. ` +
        `If it is lost, so are its files: then write ${installationId} into ${join(dir, marker)}.`,
    );
  }
  if (owner.trim() !== installationId) {
    throw new Error(`${dir} holds the artifacts of another installation. ${advice} Choose another directory.`);
  }
}

function unusable(dir: string): (error: unknown) => never {
  return (error) => {
    const reason = systemCode(error) ?? 'unknown reason';
    throw new Error(
      `${dir} cannot be written to (${reason}). ${advice} Create it and let this process write to it.`,
      { cause: error },
    );
  };
}

function ignore(code: string): (error: unknown) => undefined {
  return (error) => {
    if (systemCode(error) !== code) throw error;
  };
}
