import { closeSync, openSync } from 'node:fs';
import type { Log } from '../log.ts';

export const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** How often to check whether the launcher still runs. */
const lookMilliseconds = 1_000;

interface Stopping {
  /** Begins to stop. Called once. */
  stop: () => Promise<void>;
  /** Whoever stops it waits, and no load balancer has to notice. May come before `stop`. */
  hurry: () => void;
  /** Reads what may change while the process runs. */
  reload: () => void;
}

/**
 * Calls `stop` once when the process should stop: on a signal, or, if npm started it, when npm has exited. npm forwards
 * SIGTERM and SIGINT, but dies of SIGHUP and SIGKILL without forwarding them. So the scripts in package.json pass npm's
 * process id down.
 *
 * SIGHUP stops a process whose terminal is gone, and makes any other one reload.
 *
 * A second signal changes nothing, but SIGINT hurries at any time: under npm, Ctrl-C always sends two, one from the terminal and one that npm forwards.
 */
export function onStopSignal({ stop, hurry, reload }: Stopping, log: Log): void {
  let stopping = false;
  const begin = (fields: object) => {
    log.info(fields, stopping ? 'still stopping' : 'stopping');
    if (!stopping) void stop();
    stopping = true;
  };
  const hadTerminal = hasTerminal();
  for (const signal of stopSignals) {
    process.on(signal, () => {
      if (signal === 'SIGHUP' && (!hadTerminal || hasTerminal())) {
        reload();
        return;
      }
      if (signal !== 'SIGTERM') hurry();
      begin({ signal });
    });
  }

  const launcher = Number(process.env['LAUNCHER_PID']);
  if (!Number.isInteger(launcher) || launcher < 1) return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (isRunning(launcher)) return;
    clearInterval(look);
    hurry();
    begin({ launcher });
    // `node --watch` runs between npm and this process, and would wait for the next change for ever. If it has exited too,
    // the parent process is no longer the same.
    const isWatched = process.env['LAUNCHER_WATCHES'] === 'true' && process.ppid === parent && parent !== 1;
    if (isWatched) process.kill(parent, 'SIGTERM');
  }, lookMilliseconds).unref();
}

/** Whether the process belongs to a terminal that is there. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process runs, but belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
