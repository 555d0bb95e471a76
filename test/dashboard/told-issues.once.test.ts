import { expect, test } from 'vitest';
import { toldIssues } from '../../src/dashboard/ui/told-issues.ts';

test('an issue is told at its field, and only what has none at the end', () => {
  const issues = [
    { path: ['input', 'url'], message: 'expected an address' },
    { path: ['input', 'size'], message: 'at most 3' },
    { path: ['type'], message: 'there is no such type' },
    { path: [], message: 'too large' },
  ];
  const { errorAt, others } = toldIssues(issues);
  expect(errorAt('name')).toBeNull();
  expect(errorAt('input')).toBe('url: expected an address; size: at most 3');
  expect(others()).toEqual(['type: there is no such type', 'too large']);
});
