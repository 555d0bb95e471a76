import { z } from 'zod';
import type { Cue, Subtitles } from './subtitles.ts';

const seconds = z.number().nonnegative();
const said = z.string().transform((text) => text.trim());
const word = z.looseObject({ start: seconds, end: seconds, word: said.optional(), text: said.optional() });
const cue = z.looseObject({ start: seconds, end: seconds, text: said, words: z.array(word).nullish() });

/** OpenAI's verbose form of a transcription has `segments`, and may have the words beside them; ours has `cues`. */
const transcription = z.looseObject({
  language: z.string().nullish(),
  cues: z.array(cue).nullish(),
  segments: z.array(cue).nullish(),
  words: z.array(word).nullish(),
});

/** Reads SRT, WebVTT, or JSON: ours, or OpenAI's verbose form. Null if a text is none of these. */
export function readSubtitles(text: string): Subtitles | null {
  const clean = text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n').trim();
  if (clean.startsWith('{')) return readJson(clean);
  const cues = clean.split(/\n{2,}/).flatMap(readBlock);
  return cues.length > 0 || clean === '' || clean.startsWith('WEBVTT') ? { language: null, cues: inOrder(cues) } : null;
}

function readJson(text: string): Subtitles | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const { success, data } = transcription.safeParse(json);
  if (!success) return null;
  const given = data.cues ?? data.segments;
  if (given == null) return null;
  const beside = (data.words ?? []).map(toWord);
  const cues = given.map((each): Cue => {
    const { start, end } = each;
    const words = each.words?.map(toWord) ?? beside.filter((one) => one.start >= start - 0.01 && one.start < end);
    return { start, end, text: each.text, words };
  });
  return { language: data.language ?? null, cues: inOrder(cues) };
}

function toWord({ start, end, word: one, text }: z.output<typeof word>) {
  return { start, end, text: one ?? text ?? '' };
}

const times = /^(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3}) +--> +(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})/;

/** One block of SRT or WebVTT. Notes and styles have no times. */
function readBlock(block: string): Cue[] {
  const lines = block.split('\n');
  const at = lines.findIndex((line) => times.test(line));
  const [, h1, m1, s1, f1, h2, m2, s2, f2] = times.exec(lines[at] ?? '') ?? [];
  const text = lines.slice(at + 1).map(withoutTags).join('\n').trim();
  if (at < 0 || text === '') return [];
  return [{ start: toSeconds(h1, m1, s1, f1), end: toSeconds(h2, m2, s2, f2), text, words: [] }];
}

function withoutTags(line: string): string {
  return line.replaceAll(/<[^<>]*>/g, '').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function toSeconds(hours = '0', minutes = '0', whole = '0', fraction = '0'): number {
  return Number(hours) * 3_600 + Number(minutes) * 60 + Number(`${whole}.${fraction}`);
}

function inOrder(cues: readonly Cue[]): Cue[] {
  return cues.filter(({ start, end, text }) => text !== '' && end > start).toSorted((one, other) => one.start - other.start);
}
