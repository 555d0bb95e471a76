import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fit, padTo, widthOf } from '../../src/cli/output/display-width.ts';

const family = '👩‍👩‍👧';
const accented = 'e\u0301';

test('ideographs and emoji take two columns, combining marks none', () => {
  expect(['映画', family, '🇩🇪', '👍🏽', accented.repeat(3), 'ｶﾞ', 'plain'].map(widthOf)).toEqual([4, 2, 2, 2, 3, 2, 5]);
  expect(padTo('映画', 6)).toBe('映画  ');
  expect(padTo(family, 1)).toBe(family);
});

test('a text is cut before the character that there is no room for, and never within one', () => {
  expect(fit('映画', 4)).toBe('映画');
  expect(fit('映画', 3)).toBe('映');
  expect(fit('映画館', 5, '…')).toBe('映画…');
  expect(fit(`a${family}b`, 2)).toBe('a');
  expect(fit(`a${family}b`, 3)).toBe(`a${family}`);
  expect(fit(accented.repeat(3), 2)).toBe(accented.repeat(2));
  expect(fit('plain', 4)).toBe('plai');
  expect(fit('plain', 4, '…')).toBe('pla…');
  expect(fit('plain', 0, '…')).toBe('');
  expect(fit('映画', Infinity)).toBe('映画');
});

test('whatever the text and the width: what is left fits, begins the text, and ends between two characters', () => {
  const character = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 1 }), fc.constantFrom('映', family, accented, 'a', ' '));
  fc.assert(
    fc.property(fc.array(character, { maxLength: 20 }), fc.nat(30), (characters, width) => {
      const line = characters.join('');
      const cut = fit(line, width, '…');
      expect(widthOf(cut)).toBeLessThanOrEqual(width);
      if (widthOf(line) <= width) expect(cut).toBe(line);
      else if (cut !== '') {
        const kept = [...new Intl.Segmenter().segment(cut.slice(0, -1))].map(({ segment }) => segment);
        expect([...new Intl.Segmenter().segment(line)].map(({ segment }) => segment).slice(0, kept.length)).toEqual(kept);
      }
    }),
  );
});
