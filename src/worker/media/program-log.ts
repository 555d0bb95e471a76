import type { Attempt } from '../handler.ts';

type Level = 'info' | 'warn' | 'error';

/** Lines that are kept: the last ones. */
const kept = 20;

const levels: Readonly<Record<string, Level>> = { panic: 'error', fatal: 'error', error: 'error', warning: 'warn' };

/** What ffmpeg warns of whenever it makes such a file: it says nothing of the source, and nobody can do anything about it. */
const usual = [/\bDuped color\b/, /\bAVOption\b/, /\bdeprecated pixel format\b/, /\bGuessed Channel Layout\b/];

/** What ffmpeg says with `-loglevel level+…`, from its warnings up, each line at its own level. */
export class ProgramLog {
  readonly #lines: { level: Level; text: string }[] = [];
  #level: Level | null = null;

  /** A line without a level goes on with the one before, as a summary does. */
  take(line: string): void {
    if (line.trim() === '') return;
    const [, name] = /^(?:\[[^\]]*\] )*?\[(panic|fatal|error|warning|info|verbose|debug)\] /.exec(line) ?? [];
    if (name !== undefined) this.#level = usual.some((each) => each.test(line)) ? null : (levels[name] ?? null);
    if (this.#level === null) return;
    this.#lines.push({ level: this.#level, text: line });
    if (this.#lines.length > kept) this.#lines.shift();
  }

  tell(log: Attempt['log']): void {
    for (const { level, text } of this.#lines) log[level](text);
  }
}
