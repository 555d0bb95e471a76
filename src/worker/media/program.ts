import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Kibibytes of address space of what reads files of strangers: a file that makes a decoder ask for more ends the decoder, not the machine. */
const memoryKibibytes = 4 * 1024 ** 2;

/** Lines of its standard error that are kept: the last ones. */
const keptLines = 40;

/** Characters of a line that are kept. */
const keptCharacters = 500;

/** Where memory cannot be bounded so, it is not: macOS. The program gets no hold of the watcher's pipe, nor the watcher of its output. */
const script = `ulimit -v "$1" 2>/dev/null; shift
(read _ <&4; kill -9 0) </dev/null >/dev/null 2>&1 3>&- &
watcher=$!
nice -n 10 "$@" 4<&-
code=$?
kill $watcher 2>/dev/null
exit $code`;

export interface ProgramOptions {
  /** The folder that it works in. Every file is named relative to it, so that what it says shows no path of ours. */
  folder: string;
  /** Ends it at once, with all that it has started. */
  signal: AbortSignal;
  /** Seconds after which it is ended. */
  seconds: number;
  /** Whether it may take as much memory as it wants, as a model does that the operator has chosen. */
  unboundedMemory?: boolean;
  /** What it reads from its standard input: nothing by default. */
  input?: string;
  /** Told of each line of its file descriptor 3. */
  onProgress?: (line: string) => void;
  /** Told of each line of its standard error. */
  onLine?: (line: string) => void;
  /** Told of what it writes to its standard output, which is dropped otherwise. Throwing ends the program. */
  onOutput?: (chunk: Buffer) => void;
}

export interface Ended {
  /** 0 for success; null if a signal ended it. */
  code: number | null;
  /** Whether it took longer than it may. */
  late: boolean;
  /** The end of its standard error. */
  log: string[];
}

/**
 * Runs a program on untrusted files: with low priority, bounded memory and time, no network of its own to speak of (that is its
 * arguments' part), and none of our environment, which holds secrets.
 *
 * It is in a process group of its own, which is killed and gone when this resolves or rejects. If this process is killed, so is that
 * group: a watcher in it reads from a pipe that this process alone holds open, and gets its end then. (ffmpeg ignores SIGPIPE.)
 *
 * @throws the signal's reason, and what `onOutput` throws
 */
export async function runProgram(program: string, parameters: readonly string[], options: ProgramOptions): Promise<Ended> {
  const { folder, signal, seconds, input, onProgress, onLine, onOutput } = options;
  signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', script, 'sh', options.unboundedMemory === true ? 'unlimited' : String(memoryKibibytes), program, ...parameters], {
    cwd: folder,
    detached: true,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LANG: 'C.UTF-8', MALLOC_ARENA_MAX: '2' },
    stdio: [input === undefined ? 'ignore' : 'pipe', onOutput === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const kill = () => killGroup(child);
  const log: string[] = [];
  let late = false;
  let fault: unknown = null;
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, seconds * 1_000);
  signal.addEventListener('abort', kill);
  try {
    const [stdin, stdout, stderr, progress, lifeline] = child.stdio;
    lifeline?.on('error', () => {});
    // A program that does not read it to its end says so by how it ends.
    stdin?.on('error', () => {}).end(input);
    lines(stderr, (line) => {
      const clean = line.replaceAll(/ @ 0x[0-9a-f]+/g, '').slice(0, keptCharacters);
      onLine?.(clean);
      if (clean.trim() === '') return;
      log.push(clean);
      if (log.length > keptLines) log.shift();
    });
    lines(progress, (line) => onProgress?.(line));
    stdout?.on('data', (chunk: Buffer) => {
      try {
        onOutput?.(chunk);
      } catch (error) {
        fault ??= error;
        kill();
      }
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (fault !== null) throw fault;
    return { code, late, log };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
    kill();
  }
}

function lines(stream: Readable | ChildProcess['stdin'] | undefined, onLine: (line: string) => void): void {
  if (stream === null || stream === undefined || !('read' in stream)) return;
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}

/** Its whole group. What is gone already is no error. */
function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Between its end and the news of it.
  }
}
