import type { JsonObject } from '../../../json.ts';

interface Span {
  start: number;
  /** Null until its end was seen. */
  end: number | null;
}

/** What ffmpeg's filters say of what they find, in the lines that they log. */
export class Events {
  readonly #seconds: number | null;
  readonly #scenes: { at: number; score: number }[] = [];
  readonly #silence: Span[] = [];
  readonly #black: Span[] = [];
  readonly #frozen: Span[] = [];
  /** By the labels of ebur128's summary. */
  readonly #loudness = new Map<string, number>();
  #summary = false;

  /** @param seconds of the source: what it does not see the end of ends there */
  constructor(seconds: number | null) {
    this.#seconds = seconds;
  }

  take(line: string): void {
    if (this.#takeLoudness(line)) return;
    const [, filter, message = ''] = /^\[(?:Parsed_)?(scdet|silencedetect|blackdetect|freezedetect|ebur128)(?:_\d+)?\] \[info\] (.*)$/.exec(line) ?? [];
    if (filter === undefined) return;
    const value = (name: string) => {
      const found = Number(new RegExp(`${name.replaceAll('.', '\\.')}: ?(-?[\\d.]+)`).exec(message)?.[1]);
      return Number.isFinite(found) ? Math.max(0, found) : null;
    };
    switch (filter) {
      case 'scdet': {
        const [at, score] = [value('lavfi.scd.time'), value('lavfi.scd.score')];
        if (at !== null && score !== null) this.#scenes.push({ at, score });
        break;
      }
      case 'blackdetect': {
        const [start, end] = [value('black_start'), value('black_end')];
        if (start !== null) this.#black.push({ start, end });
        break;
      }
      case 'silencedetect':
        spanOf(this.#silence, value('silence_start'), value('silence_end'));
        break;
      case 'freezedetect':
        spanOf(this.#frozen, value('lavfi.freezedetect.freeze_start'), value('lavfi.freezedetect.freeze_end'));
        break;
      default:
        this.#summary = message.startsWith('Summary');
    }
  }

  /** @param most entries of each list */
  found(most: number): JsonObject {
    const spans = (all: readonly Span[]) => all.slice(0, most).map(({ start, end }) => ({ start, end: end ?? this.#seconds }));
    const loudness = this.#loudness;
    return {
      scenes: this.#scenes.slice(0, most),
      silence: spans(this.#silence),
      black: spans(this.#black),
      frozen: spans(this.#frozen),
      loudness:
        loudness.size === 0 ? null : { integrated: loudness.get('I') ?? null, range: loudness.get('LRA') ?? null, truePeak: loudness.get('Peak') ?? null },
    };
  }

  /** The lines after `Summary:`, for example `    I:         -21.8 LUFS`. */
  #takeLoudness(line: string): boolean {
    if (!this.#summary) return false;
    const [, label, value] = /^\s+(I|LRA|Peak): +(-?[\d.]+|-?inf) (?:LUFS|LU|dBFS)$/.exec(line) ?? [];
    if (label !== undefined && Number.isFinite(Number(value))) this.#loudness.set(label, Number(value));
    return label !== undefined;
  }
}

function spanOf(spans: Span[], start: number | null, end: number | null): void {
  if (start !== null) spans.push({ start, end: null });
  const last = spans.at(-1);
  if (end !== null && last !== undefined) last.end ??= end;
}
