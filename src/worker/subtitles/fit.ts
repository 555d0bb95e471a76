import type { Cue, Subtitles, Word } from './subtitles.ts';

interface Fit {
  /** Characters of a line. */
  lineLength: number;
  /** Lines of a cue. */
  lines: number;
  /** Characters a second that can be read. Cues are shown longer for it, where there is time before the next. */
  speed: number;
}

/** As broadcasters have it: 42 characters, two lines, 17 characters a second. */
export const usualFit: Fit = { lineLength: 42, lines: 2, speed: 17 };

/** Seconds. */
const leastSeconds = 1;
const gapSeconds = 0.04;

/** Makes cues short enough to be read: long ones are split between words, and their lines are broken. */
export function fitted({ language, cues }: Subtitles, fit: Fit = usualFit): Subtitles {
  const short = cues.flatMap((cue) => split(cue, fit)).toSorted((one, other) => one.start - other.start);
  return { language, cues: short.map((cue, index) => lengthened(cue, short[index + 1]?.start ?? Infinity, fit)) };
}

function split(cue: Cue, fit: Fit): Cue[] {
  const words = cue.words.length > 0 ? cue.words : spread(cue);
  const groups: Word[][] = [];
  for (const word of words) {
    const last = groups.at(-1);
    const grown = last === undefined ? null : [...last, word];
    if (last === undefined || grown === null || broken(grown.map(({ text }) => text), fit.lineLength).length > fit.lines) groups.push([word]);
    else last.push(word);
  }
  return groups.map((group) => ({
    start: group[0]?.start ?? cue.start,
    end: group.at(-1)?.end ?? cue.end,
    text: broken(group.map(({ text }) => text), fit.lineLength).join('\n'),
    words: cue.words.length > 0 ? group : [],
  }));
}

/** Words of a cue of which only the whole has times: each takes as long as it is. */
function spread({ start, end, text }: Cue): Word[] {
  const texts = text.split(/\s+/).filter((word) => word !== '');
  const letters = texts.reduce((sum, word) => sum + word.length + 1, 0);
  let at = start;
  return texts.map((word) => {
    const from = at;
    at += ((end - start) * (word.length + 1)) / letters;
    return { start: from, end: at, text: word };
  });
}

/** Lines of at most so many characters. A longer word has a line of its own. */
function broken(words: readonly string[], lineLength: number): string[] {
  const lines: string[] = [];
  for (const word of words.map((each) => each.trim())) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > lineLength) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function lengthened(cue: Cue, next: number, { speed }: Fit): Cue {
  const wanted = Math.max(leastSeconds, cue.text.length / speed);
  return { ...cue, end: Math.max(cue.end, Math.min(cue.start + wanted, next - gapSeconds)) };
}
