import { expect, test } from 'vitest';
import { auditTopics } from '../../src/dashboard/audit/audit-topics.ts';
import { auditActions } from '../../src/workspaces/audit/record.ts';

test('whatever is written down is found under one topic', () => {
  expect(auditTopics.flatMap(({ actions }) => [...actions]).toSorted()).toEqual([...auditActions].toSorted());
});
