import { spawnSync } from 'node:child_process';

/** Whether a process can be started with a clock of its own. CI requires it. */
export function hasFaketime(): boolean {
  if (spawnSync('faketime', ['--version']).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error('CI needs faketime in the PATH. Install the package faketime.');
  process.stderr.write('No faketime in the PATH: the scenario with clocks apart is skipped. Install it to run it.\n');
  return false;
}

/** Environment of a process whose clock is apart from this machine's. Its monotonic clock, and so its timers, are not. */
export function clockApart(minutes: number): Record<string, string> {
  const offset = `${minutes < 0 ? '' : '+'}${minutes}m`;
  const { stdout } = spawnSync('faketime', ['-m', '-f', offset, 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' });
  return { LD_PRELOAD: stdout.trim(), FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' };
}
