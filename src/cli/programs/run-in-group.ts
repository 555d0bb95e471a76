import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { Retryable } from '@longhaul/client/worker';

/** How a program ended: by an exit code, or by a signal. */
export interface ProgramEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface ProgramStart {
  command: readonly [string, ...string[]];
  env: NodeJS.ProcessEnv;
  /** What it finds on standard input. */
  input: string;
  /** Tells it to stop, with all that it has started: SIGTERM, and SIGKILL after the grace. */
  signal: AbortSignal;
  /** In milliseconds. */
  grace: number;
  /** Read its pipes. Where one of them throws, the program is stopped. */
  readOutput: (pipe: Readable) => Promise<void>;
  readErrors: (pipe: Readable) => Promise<void>;
}

/** What has left the program's group may hold its pipes for so long after its end, in milliseconds. */
const pipesWithin = 2_000;

/** Groups that run. None of them outlives this process, unless that is killed. */
const running = new Set<number>();
process.on('exit', () => {
  for (const group of running) signalGroup(group, 'SIGKILL');
});

/** Runs a program in a process group of its own, and ends what it leaves behind in there. @throws Retryable where it cannot be started; what reading its pipes throws */
export async function runInGroup({ command, env, input, signal, grace, readOutput, readErrors }: ProgramStart): Promise<ProgramEnd> {
  signal.throwIfAborted();
  const [program, ...parameters] = command;
  const child = spawn(program, parameters, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const ended = new Promise<ProgramEnd>((resolve) => child.once('exit', (code, by) => resolve({ code, signal: by })));
  const cause: unknown = await once(child, 'spawn').then(() => null, (error: unknown) => error);
  const { pid: group } = child;
  if (group === undefined) throw new Retryable({ code: 'COMMAND_NOT_STARTED', message: `The worker could not start ${program}.`, cause });
  running.add(group);
  let killing: NodeJS.Timeout | undefined;
  const stop = () => {
    // Once it has ended, its number may be another group's.
    if (killing !== undefined || !running.has(group)) return;
    signalGroup(group, 'SIGTERM');
    killing = setTimeout(signalGroup, grace, group, 'SIGKILL');
  };
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  // It may end, or close its standard input, without having read it.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const reading = Promise.all([readOutput(child.stdout), readErrors(child.stderr)]);
  reading.catch(stop);
  const end = await ended;
  signal.removeEventListener('abort', stop);
  clearTimeout(killing);
  signalGroup(group, 'SIGKILL');
  running.delete(group);
  await readRest(reading, [child.stdout, child.stderr]);
  return end;
}

/** Waits for what is still in the pipes; what holds them open for too long is left alone. */
async function readRest(reading: Promise<unknown>, pipes: readonly Readable[]): Promise<void> {
  const enough = new AbortController();
  const late = pause(pipesWithin, true, { signal: enough.signal });
  const isLate = await Promise.race([reading.then(() => false), late]).finally(() => enough.abort());
  if (isLate) for (const pipe of pipes) pipe.destroy();
}

function signalGroup(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // There is none of it left.
  }
}
