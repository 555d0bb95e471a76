import { expect, test } from 'vitest';
import { topics } from '../../src/dashboard/audit/topics.ts';
import { auditActions } from '../../src/workspaces/audit/record.ts';

test('whatever is written down is found under one topic', () => {
  expect(topics.flatMap(({ actions }) => [...actions]).toSorted()).toEqual([...auditActions].toSorted());
});
