import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { UsageError } from '../command-error.ts';

/** Makes sure that there is such a program before jobs are claimed for it. @throws UsageError */
export async function findProgram(name: string): Promise<void> {
  const paths = name.includes('/') ? [name] : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  for (const path of paths) if (await isProgram(path)) return;
  const isThere = name.includes('/') && (await stat(name).then((found) => found.isFile(), () => false));
  throw new UsageError(isThere ? `${name} may not be executed. Run chmod +x ${name}, or name its shell: -- sh ${name}` : `There is no program ${name}. Check its name, and PATH.`);
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
