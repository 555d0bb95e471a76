import { expect, test } from 'vitest';
import { agoText } from '../../src/dashboard/app/ago-text.ts';

test('how long ago something was, or how soon it is: what comes in a moment has not just been', () => {
  const now = Date.parse('2026-03-04T12:00:00Z');
  const said = (seconds: number) => agoText(now + seconds * 1_000, now);
  expect([-90_000, -300, -20, -2, 0, 2, 20, 300, 90_000].map(said)).toEqual(['1 d ago', '5 min ago', '20 s ago', 'just now', 'just now', 'in a moment', 'in 20 s', 'in 5 min', 'in 1 d']);
});
