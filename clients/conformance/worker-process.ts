import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** The worker that is judged, in a process group of its own. */
export class WorkerProcess {
  readonly #command: readonly string[];
  readonly #env: Record<string, string>;
  readonly #verbose: boolean;
  #child: ChildProcess | null = null;
  /** Its last lines, for whoever looks for the reason of a failure. */
  #tail = '';

  /** @param verbose whether what it writes is passed on to standard error */
  constructor(command: readonly string[], env: Record<string, string>, verbose: boolean) {
    this.#command = command;
    this.#env = env;
    this.#verbose = verbose;
    // Nothing that was started here stays behind, however this ends.
    process.once('exit', () => this.#kill());
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get tail(): string {
    return this.#tail;
  }

  /** @throws where there is no such program */
  async start(): Promise<void> {
    const [program = '', ...args] = this.#command;
    this.#tail = '';
    const child = spawn(program, args, { env: { ...process.env, ...this.#env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#tail = (this.#tail + text).slice(-2_000);
        if (this.#verbose) process.stderr.write(text);
      });
    }
    await once(child, 'spawn');
    this.#child = child;
  }

  /** To the process alone, as an init system sends it. */
  terminate(): void {
    this.#child?.kill('SIGTERM');
  }

  /** Resolves to true when it has exited, to false when it has not after so many milliseconds. */
  async exited(milliseconds: number): Promise<boolean> {
    if (!this.running || this.#child === null) return true;
    const enough = new AbortController();
    const timer = setTimeout(() => enough.abort(), milliseconds);
    await once(this.#child, 'exit', { signal: enough.signal }).catch(() => {});
    clearTimeout(timer);
    return !this.running;
  }

  /** With all that it has started. */
  async kill(): Promise<void> {
    this.#kill();
    await this.exited(5_000);
    // What it left behind in groups of its own may hold them for ever, and would keep this process.
    this.#child?.stdout?.destroy();
    this.#child?.stderr?.destroy();
  }

  #kill(): void {
    if (this.#child?.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // There is none of it left.
    }
  }
}
