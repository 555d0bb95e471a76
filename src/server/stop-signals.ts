import type { Log } from '../log.ts';

export const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** How often is looked whether the launcher is still there, in milliseconds. */
const lookMilliseconds = 1_000;

/**
 * Calls `stop`, once, when the process is told to stop: by a signal, or by the end of npm where npm started it. npm passes
 * SIGTERM and SIGINT on, but dies of SIGHUP and SIGKILL without a word: the scripts of package.json hand down its id.
 *
 * A second signal changes nothing: Ctrl-C under npm always brings two, the terminal's own and the one that npm passes on.
 */
export function onStopSignal(stop: () => void, log: Log): void {
  let stopping = false;
  const begin = (fields: object) => {
    log.info(fields, stopping ? 'still stopping' : 'stopping');
    if (!stopping) stop();
    stopping = true;
  };
  for (const signal of stopSignals) process.on(signal, () => begin({ signal }));

  const launcher = Number(process.env['LAUNCHER_PID']);
  if (!Number.isInteger(launcher) || launcher < 1) return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (isRunning(launcher)) return;
    clearInterval(look);
    begin({ launcher });
    // Between npm and this process stands `node --watch`, which would wait for the next change for ever. Where it is gone
    // too, the parent is another one by now.
    const isWatched = process.env['LAUNCHER_WATCHES'] === 'true' && process.ppid === parent && parent !== 1;
    if (isWatched) process.kill(parent, 'SIGTERM');
  }, lookMilliseconds).unref();
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process is one that runs.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
