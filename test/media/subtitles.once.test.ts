import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitted, usualFit } from '../../src/worker/subtitles/fit.ts';
import { readSubtitles } from '../../src/worker/subtitles/read.ts';
import { plainText, type Subtitles } from '../../src/worker/subtitles/subtitles.ts';
import { written } from '../../src/worker/subtitles/write.ts';

const two: Subtitles = {
  language: 'en',
  cues: [
    { start: 1, end: 2.5, text: 'Hello <you> & me', words: [] },
    { start: 3661.001, end: 3662, text: 'two\nlines {\\b1}', words: [] },
  ],
};

describe('subtitles', () => {
  test('are written as SRT, WebVTT, ASS and JSON', () => {
    expect(written(two, 'srt')).toBe('1\n00:00:01,000 --> 00:00:02,500\nHello <you> & me\n\n2\n01:01:01,001 --> 01:01:02,000\ntwo\nlines {\\b1}\n');
    expect(written(two, 'vtt')).toBe('WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nHello &lt;you&gt; &amp; me\n\n01:01:01.001 --> 01:01:02.000\ntwo\nlines {\\b1}\n');
    expect(written(two, 'ass').split('\n').filter((line) => line.startsWith('Dialogue'))).toEqual([
      'Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Hello <you> & me',
      'Dialogue: 0,1:01:01.00,1:01:02.00,Default,,0,0,0,,two\\Nlines (⧵b1)',
    ]);
    expect(JSON.parse(written(two, 'json'))).toEqual(two);
    expect(plainText(two)).toBe('Hello <you> & me two lines {\\b1}');
  });

  test('are read again from what was written', () => {
    for (const format of ['vtt', 'json'] as const) expect(readSubtitles(written(two, format))?.cues).toEqual(two.cues);
  });

  test.each<[string, string, object]>([
    ['SRT with tags and carriage returns', '1\r\n00:00:01,5 --> 00:00:02,000\r\n<i>Hi</i>\r\n', [{ start: 1.5, end: 2, text: 'Hi' }]],
    ['WebVTT with notes, settings and identifiers', 'WEBVTT\n\nNOTE hello\n\nfirst\n00:01.000 --> 00:02.000 line:0\nHi\n', [{ start: 1, end: 2, text: 'Hi' }]],
    [
      "OpenAI's verbose form, with words beside the segments",
      JSON.stringify({ text: 'Hi you', segments: [{ id: 0, start: 0, end: 1, text: ' Hi you' }], words: [{ word: 'Hi', start: 0, end: 0.4 }, { word: 'you', start: 0.5, end: 1 }] }),
      [{ start: 0, end: 1, text: 'Hi you', words: [{ start: 0, end: 0.4, text: 'Hi' }, { start: 0.5, end: 1, text: 'you' }] }],
    ],
    ['a file with nothing said', 'WEBVTT\n', []],
  ])('are read from %s', (_, text, cues) => {
    expect(readSubtitles(text)?.cues).toMatchObject(cues);
  });

  test.each(['hello', '{"a": 1}', '{"cues": [{"start": -1, "end": 1, "text": "a"}]}', '{'])('%j is none', (text) => {
    expect(readSubtitles(text)).toBeNull();
  });
});

describe('subtitles that are fitted', () => {
  test('keep their words in order, within their lines and times, whatever is said', () => {
    const cue = fc.record({ start: fc.integer({ min: 0, max: 1_000 }), length: fc.integer({ min: 1, max: 60 }), words: fc.array(fc.stringMatching(/^\w{1,12}$/), { minLength: 1, maxLength: 60 }) });
    fc.assert(
      fc.property(cue, ({ start, length, words }) => {
        const whole = { language: null, cues: [{ start, end: start + length, text: words.join(' '), words: [] }] };
        const { cues } = fitted(whole);
        expect(plainText({ language: null, cues })).toBe(words.join(' '));
        for (const [index, { text, start: from, end }] of cues.entries()) {
          const lines = text.split('\n');
          expect(lines.length).toBeLessThanOrEqual(usualFit.lines);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(usualFit.lineLength);
          expect(end).toBeGreaterThan(from);
          expect(end).toBeLessThanOrEqual((cues[index + 1]?.start ?? Infinity) + 1e-6);
        }
      }),
    );
  });

  test('are split where the words are, and stay long enough to be read', () => {
    const words = ['These', 'are', 'words'].map((text, index) => ({ text, start: index * 10, end: index * 10 + 0.5 }));
    const { cues } = fitted({ language: null, cues: [{ start: 0, end: 20.5, text: 'These are words', words }] }, { lineLength: 9, lines: 1, speed: 2 });
    expect(cues).toMatchObject([
      { start: 0, end: 10.5, text: 'These are' },
      { start: 20, end: 22.5, text: 'words' },
    ]);
  });
});
