import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);
const packages = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** The package as npm would publish it, installed in a folder of its own. */
export interface PackedClient {
  /** Of somebody who uses the package: it is in node_modules. */
  folder: string;
  tarball: string;
  /** Runs a module of the folder, with parameters after it. @returns what it printed */
  node(command: string, env?: Record<string, string>): Promise<string>;
}

/** Packs and installs it. Removed after the test. @param others packages of this repository that the folder has, too */
export async function packClient(...others: string[]): Promise<PackedClient> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-client-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await run('npm', ['pack', '--pack-destination', folder], { cwd: fileURLToPath(new URL('../../clients/js', import.meta.url)) });
  const [name = ''] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  const tarball = join(folder, name);
  const installed = join(folder, 'node_modules/@longhaul/client');
  await mkdir(installed, { recursive: true });
  await run('tar', ['--extract', '--file', tarball, '--strip-components', '1', '--directory', installed]);
  await mkdir(join(folder, 'node_modules/.bin'));
  await symlink('../@longhaul/client/dist/types/main.js', join(folder, 'node_modules/.bin/longhaul-client'));
  await chmod(join(installed, 'dist/types/main.js'), 0o755);
  // Its dependency, and the peer of that, which npm would fetch.
  for (const dependency of ['graphql-ws', 'graphql', ...others]) {
    const place = join(folder, 'node_modules', dependency);
    await mkdir(join(place, '..'), { recursive: true });
    await symlink(join(packages, dependency), place);
  }
  return {
    folder,
    tarball,
    node: async (command, env = {}) => {
      const { stdout } = await run(process.execPath, command.split(' '), { cwd: folder, env: { PATH: process.env['PATH'], ...env } });
      return stdout;
    },
  };
}
