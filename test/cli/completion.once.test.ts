import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandTable } from '../../src/cli/command-table.ts';

const run = promisify(execFile);

describe('in bash', () => {
  let script = '';
  beforeAll(async () => {
    script = await printed('bash');
  });

  /** What is offered for the last of these words. */
  async function offered(...words: string[]): Promise<string[]> {
    const asking = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _longhaul; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run('bash', ['--norc', '-c', asking, 'bash', 'longhaul', ...words]);
    return stdout.split('\n').filter((word) => word !== '');
  }

  test('commands are completed, and those of a group', async () => {
    expect(await offered('')).toEqual(commandTable.map(({ name }) => name));
    expect(await offered('wat')).toEqual(['watch']);
    expect(await offered('jobs', '')).toEqual(['list', 'get', 'logs', 'cancel', 'retry', 'delete']);
    expect(await offered('webhooks', '--url', 'http://localhost', 'li')).toEqual(['list', 'listen']);
  });

  test('options are completed where a word begins like one, and what they and arguments may be', async () => {
    expect(await offered('jobs', 'logs', '--')).toEqual(expect.arrayContaining(['--follow', '--level', '--help']));
    expect(await offered('jobs', 'logs', '--level', '')).toEqual(['DEBUG', 'INFO', 'WARN', 'ERROR']);
    expect(await offered('worker', 'run', '--type', 'words', '--stdout', 't')).toEqual(['text']);
    expect(await offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  test('names of files are left to bash, as is the command of a worker', async () => {
    expect(await offered('run', 'demo', '-i', '')).toEqual([]);
    expect(await offered('worker', 'run', '--type', 'words', '--', '--')).toEqual([]);
  });

  test('it is asked at a Tab, and names of files fill in where it has nothing', async () => {
    const { stdout } = await run('bash', ['--norc', '-c', `${script}\ncomplete -p longhaul`]);
    expect(stdout).toBe('complete -o default -F _longhaul longhaul\n');
  });
});

test.runIf(hasShell('zsh'))('zsh reads its script', async () => {
  await run('zsh', ['-f', '-n', '-c', await printed('zsh')]);
});

test.runIf(hasShell('fish'))('fish completes by its script', async () => {
  const { stdout } = await run('fish', ['--no-config', '-c', `${await printed('fish')}\ncomplete -C 'longhaul jobs logs --level '`]);
  expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(expect.arrayContaining(['DEBUG', 'WARN']));
});

/** Whether there is such a shell here. CI requires it. */
function hasShell(name: string): boolean {
  if (spawnSync(name, ['--version']).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error(`CI needs ${name} in the PATH. Install the package ${name}.`);
  return false;
}

async function printed(shell: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['src/launch.js', 'completion', shell]);
  return stdout;
}
