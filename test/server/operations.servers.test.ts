import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readyStatuses } from '../../src/http/health.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

/** What a part says when it is not well. */
const opposites = new Map<unknown, string>([
  ['up', '"down"'],
  ['writable', '"full"'],
]);

test('OPERATIONS.md explains each reason that /health/ready may give', async () => {
  const document = readFileSync(new URL('../../OPERATIONS.md', import.meta.url), 'utf8');
  const explained = (column: string) => document.includes(`| ${column}`) || document.includes(`, ${column}`);
  const answer: Record<string, unknown> = JSON.parse(await (await fetch(`${longhaul.url}/health/ready`)).text());
  const { status: _status, ...parts } = answer;
  const reasons = [
    ...Object.keys(readyStatuses).map((status) => `\`"status": "${status}"\``),
    ...Object.entries(parts).map(([part, value]) => `\`"${part}": ${opposites.get(value) ?? '[...]'}\``),
    // What may be overdue.
    ...longhaul.services.loops.map(({ name }) => `\`${name}\``),
  ];
  expect(reasons.length).toBeGreaterThan(10);
  expect(reasons.filter((reason) => !explained(reason))).toEqual([]);
});
