import { makesWay } from '../output/write-aside.ts';

/** How often lines are drawn again, in milliseconds. */
const frameMilliseconds = 100;

/** Should a line be wider than the terminal, as after a narrowing, the terminal cuts it and does not break it; on again within each frame, so however this ends. */
const autowrap = { off: '\u001B[?7l', on: '\u001B[?7h' };

/** Lines at the bottom of a terminal that are drawn again and again. */
export class Drawing implements Disposable {
  readonly #stream: NodeJS.WriteStream;
  readonly #lines: () => string[];
  readonly #timer: NodeJS.Timeout;
  readonly #release: () => void;
  #drawn = '';
  #height = 0;

  /** @param lines what to draw: of each as much as fits is seen */
  constructor(stream: NodeJS.WriteStream, lines: () => string[]) {
    this.#stream = stream;
    this.#lines = lines;
    this.#timer = setInterval(() => this.#draw(), frameMilliseconds);
    this.#timer.unref();
    this.#release = makesWay({ clear: () => this.#clear(), draw: () => this.#draw() });
  }

  /** Draws the last state, and leaves the cursor below. May be called twice. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#release();
    this.#draw();
    if (this.#height > 0) this.#stream.write('\n');
    this.#height = 0;
    this.#drawn = '';
  }

  /** Leaves the cursor where the first line began. */
  #clear(): void {
    if (this.#height > 0) this.#stream.write(`\r${this.#up}\u001B[J`);
    this.#height = 0;
    this.#drawn = '';
  }

  get #up(): string {
    return this.#height > 1 ? `\u001B[${this.#height - 1}A` : '';
  }

  #draw(): void {
    const lines = this.#lines();
    const text = lines.map((line) => `\u001B[2K${line}`).join('\n');
    if (text === this.#drawn || lines.length === 0) return;
    this.#stream.write(`${autowrap.off}\r${this.#up}${text}${lines.length < this.#height ? '\u001B[J' : ''}${autowrap.on}`);
    this.#drawn = text;
    this.#height = lines.length;
  }
}
