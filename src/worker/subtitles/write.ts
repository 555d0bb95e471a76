import type { Subtitles } from './subtitles.ts';

export const subtitleFormats = ['srt', 'vtt', 'ass', 'json'] as const;
type SubtitleFormat = (typeof subtitleFormats)[number];

export const subtitleMediaTypes: Readonly<Record<SubtitleFormat, string>> = {
  srt: 'application/x-subrip',
  vtt: 'text/vtt',
  ass: 'text/x-ssa',
  json: 'application/json',
};

export function written(subtitles: Subtitles, format: SubtitleFormat): string {
  switch (format) {
    case 'srt':
      return subtitles.cues.map(({ start, end, text }, index) => `${index + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${text}\n`).join('\n');
    case 'vtt':
      return ['WEBVTT\n', ...subtitles.cues.map(({ start, end, text }) => `${clock(start, '.')} --> ${clock(end, '.')}\n${escapedForVtt(text)}\n`)].join('\n');
    case 'ass':
      return `${assHead}${subtitles.cues.map(({ start, end, text }) => `Dialogue: 0,${assClock(start)},${assClock(end)},Default,,0,0,0,,${escapedForAss(text)}\n`).join('')}`;
    case 'json':
      return `${JSON.stringify(subtitles)}\n`;
  }
}

/** `&` and `<` begin entities and tags; `-->` may not stand in a cue (WebVTT, section 3.1). */
function escapedForVtt(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Braces begin commands of the renderer, and a backslash may. */
function escapedForAss(text: string): string {
  return text.replaceAll('\\', '⧵').replaceAll('{', '(').replaceAll('}', ')').replaceAll('\n', '\\N');
}

const assHead = `[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288
WrapStyle: 2

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV
Style: Default,sans-serif,16,&H00FFFFFF,&H00000000,1,1,0,2,10,10,10

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
`;

/** As SRT and WebVTT write it: 01:02:03,456. */
function clock(seconds: number, point: ',' | '.'): string {
  const { hours, minutes, whole, milliseconds } = parts(seconds);
  return `${two(hours)}:${two(minutes)}:${two(whole)}${point}${String(milliseconds).padStart(3, '0')}`;
}

/** As ASS writes it: 1:02:03.45. */
function assClock(seconds: number): string {
  const { hours, minutes, whole, milliseconds } = parts(seconds);
  return `${hours}:${two(minutes)}:${two(whole)}.${two(Math.floor(milliseconds / 10))}`;
}

function parts(seconds: number) {
  const milliseconds = Math.max(0, Math.round(seconds * 1_000));
  return {
    hours: Math.floor(milliseconds / 3_600_000),
    minutes: Math.floor(milliseconds / 60_000) % 60,
    whole: Math.floor(milliseconds / 1_000) % 60,
    milliseconds: milliseconds % 1_000,
  };
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
