/** A word, with when it is said, in seconds. */
export interface Word {
  start: number;
  end: number;
  text: string;
}

/** What is shown or said from one second to another. */
export interface Cue {
  start: number;
  end: number;
  /** May have several lines. */
  text: string;
  /** Empty where nobody knows when each is said. */
  words: Word[];
}

/** Everything that is said in a file: the one model from which all forms of subtitles are made. */
export interface Subtitles {
  /** A language tag; null if unknown. */
  language: string | null;
  /** In order of time. */
  cues: Cue[];
}

/** All of it as one text. */
export function plainText({ cues }: Subtitles): string {
  return cues.map(({ text }) => text.replaceAll('\n', ' ')).join(' ').replaceAll(/\s+/g, ' ').trim();
}
