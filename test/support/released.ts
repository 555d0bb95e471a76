import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testFolder } from './process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The program of the version that was released last. */
interface ReleasedProgram {
  version: string;
  main: string;
}

/**
 * Takes the program from git, by the commit that the changelog names, into a folder that is removed after the test. It runs on
 * the packages of its own lock file: those that are installed here, if they are the same, or else its own.
 */
export async function releasedProgram(): Promise<ReleasedProgram> {
  const { version, commit } = lastRelease();
  const folder = await testFolder();
  const archive = git('archive', commit, 'package.json', 'package-lock.json', '.npmrc', 'schema', 'src');
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  if (packagesIn(folder) === packagesIn(root)) symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  else execFileSync('npm', ['ci', '--omit=dev', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'ignore' });
  return { version, main: join(folder, 'src/main.ts') };
}

/** The names of the migrations that the program knows. */
export function releasedMigrations(): { version: string; names: string[] } {
  const { version, commit } = lastRelease();
  const files = git('ls-tree', '--name-only', commit, 'src/database/migrations/').toString().trim().split('\n');
  return { version, names: files.map((file) => basename(file, '.ts')) };
}

function lastRelease(): { version: string; commit: string } {
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const [, version = '', commit = ''] = /^## (\S+)\n\nCommit ([0-9a-f]{40})\.$/m.exec(changelog) ?? [];
  return { version, commit };
}

function git(...parameters: string[]): Buffer {
  try {
    // The folder may belong to another user, as in a container.
    return execFileSync('git', ['-c', 'safe.directory=*', '-C', root, ...parameters], { maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    throw new Error('The program of the last release is taken from git. Is this a whole clone (`git fetch --unshallow`)?', { cause: error });
  }
}

/** What a production start loads, with versions. */
function packagesIn(folder: string): string {
  const { packages }: { packages: Record<string, { version?: string; dev?: boolean; optional?: boolean }> } = JSON.parse(
    readFileSync(join(folder, 'package-lock.json'), 'utf8'),
  );
  const needed = Object.entries(packages).filter(([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true);
  return JSON.stringify(needed.map(([path, { version }]) => [path, version]));
}
