import { execFile, spawnSync } from 'node:child_process';
import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { testFolder } from '../support/process.ts';

const run = promisify(execFile);
const source = fileURLToPath(new URL('../../clients/python', import.meta.url));

/** The first program of these that does this; undefined, and a word about it, where none does. On CI one has to. */
function first(candidates: string[], parameters: string[], what: string): string | undefined {
  const found = candidates.find((program) => spawnSync(program, parameters).status === 0);
  if (found === undefined && process.env['CI'] === 'true') throw new Error(`CI needs ${what}. Install it.`);
  if (found === undefined) process.stderr.write(`No ${what}: a scenario of the Python package is left out. Install it to run that.\n`);
  return found;
}

const mypy = first(['mypy', '/usr/bin/mypy'], ['--version'], 'mypy (Debian: mypy)');
const builder = first(
  ['python3', '/usr/bin/python3'],
  ['-c', 'import setuptools, wheel, pip'],
  'Python with pip, setuptools and wheel (Debian: python3-pip, python3-setuptools, python3-wheel)',
);

test.runIf(mypy)('its types hold, in itself and in programs that use it', async () => {
  const folder = await testFolder();
  const check = (options: string[]) =>
    run(mypy ?? '', ['--cache-dir', join(folder, 'cache'), '--python-version', '3.10', ...options], {
      cwd: source,
      env: { PATH: process.env['PATH'], MYPYPATH: join(source, 'src') },
    }).catch((error: { stdout: string }) => error);
  expect((await check([])).stdout).toMatch(/^Success: no issues found in \d+ source files\n$/);
  const program = 'from longhaul import Client\nfor job in Client("http://x", "k").watch("job_1"):\n    reveal_type(job.progress)\n    job.state\n';
  await writeFile(join(folder, 'program.py'), program);
  const { stdout } = await check([join(folder, 'program.py')]);
  expect(stdout).toContain('Revealed type is "Union[longhaul.job.Progress, None]"');
  expect(stdout).toContain('"Job" has no attribute "state"');
}, 120_000);

test.runIf(builder)('a wheel is made from its folder and installs elsewhere, without a network', async () => {
  const folder = await testFolder();
  const offline = ['--no-index', '--no-deps', '--disable-pip-version-check', '--root-user-action=ignore'];
  const pip = (...parameters: string[]) => run(builder ?? '', ['-m', 'pip', ...parameters], { env: { PATH: process.env['PATH'], HOME: folder } });
  // Building leaves files beside the source.
  await cp(source, join(folder, 'source'), { recursive: true });
  await pip('wheel', '--no-build-isolation', '--wheel-dir', folder, ...offline.slice(0, 3), join(folder, 'source'));
  const [wheel = ''] = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
  expect(wheel).toMatch(/^longhaul-\d+\.\d+\.\d+-py3-none-any\.whl$/);
  await pip('install', '--target', join(folder, 'site'), ...offline, join(folder, wheel));
  const { stdout } = await run(builder ?? '', ['-c', 'import longhaul; print(longhaul.Worker.__module__, longhaul.__file__)'], {
    cwd: folder,
    env: { PYTHONPATH: join(folder, 'site') },
  });
  expect(stdout).toBe(`longhaul.worker ${join(folder, 'site/longhaul/__init__.py')}\n`);
  expect(await readdir(join(folder, 'site/longhaul'))).toContain('py.typed');
}, 120_000);
