import { describe, expect, test } from 'vitest';
import { type CheckName, checks } from '../../clients/conformance/checks.ts';
import { judged } from '../support/conformance.ts';
import { hasPython } from '../support/python-worker.ts';

const workers = 'clients/conformance/workers';
/** In milliseconds: several at once share the machine. */
const minutes = { timeout: 5 * 60_000 };

/** What each does without. */
const ours: [string, string[], CheckName[]][] = [
  ['@longhaul/client', ['node', `${workers}/javascript.ts`], []],
  ['the Python package', ['python3', '-B', `${workers}/python.py`], []],
  ['the standard library', ['python3', '-B', `${workers}/protocol.py`], ['pauses']],
  ['a shell', ['examples/worker.sh', 'conformance', `${workers}/shell-command.sh`], ['lease-lost-event', 'pauses']],
];

/** Each fault of test/support/faulty-worker.ts, and the one check that finds it. */
const faults: [string, CheckName][] = [
  ['wrong-document', 'documents'],
  ['polls', 'claims'],
  ['one-token', 'tokens'],
  ['old-token', 'attempts'],
  ['no-heartbeat', 'heartbeats'],
  ['completes-after-lost', 'lost-lease'],
  ['fails-lost-result', 'lost-lease'],
  ['ignores-cancel', 'cancel'],
  ['ignores-event', 'lease-lost-event'],
  ['two-results', 'lost-answers'],
  ['gives-up', 'outages'],
  ['hammers', 'retry-after'],
  ['always-retryable', 'failures'],
  ['forgets-checkpoint', 'checkpoints'],
  ['gives-up-file', 'files'],
  ['unchecked-file', 'file-bytes'],
  ['unnamed-result', 'results'],
  ['gives-up-full', 'results'],
  ['key-abroad', 'key'],
  ['claims-on', 'stop-claiming'],
  ['drops-jobs', 'hand-back'],
  ['stays', 'hand-back'],
];

describe.concurrent('the conformance kit', () => {
  test.for(ours.filter(([, [program]]) => program !== 'python3' || hasPython()))('finds no fault in the worker of %s', minutes, async ([, command, without], context) => {
    const program = command.map((part) => (part === 'node' ? process.execPath : part));
    const { code, output, named } = await judged(context, ['--', ...program]);
    expect({ failed: named('FAIL'), unknown: named('not judged'), unused: named('not used'), code }, output).toEqual({ failed: [], unknown: [], unused: without, code: 0 });
  });

  const faulty = ['--drain-seconds', '8', '--require', 'all', '--', process.execPath, 'test/support/faulty-worker.ts'];

  test('finds every ability in a small worker without a fault', minutes, async (context) => {
    const { code, output, named } = await judged(context, faulty);
    expect(named('pass'), output).toEqual(Object.keys(checks));
    expect(code).toBe(0);
  });

  test('finds no fault in one that claims by several loops side by side, which pause where others wait', minutes, async (context) => {
    const { code, output, named } = await judged(context, faulty, { LOOPS: '4' });
    expect({ failed: named('FAIL'), unknown: named('not judged') }, output).toEqual({ failed: [], unknown: [] });
    expect(output).toContain('4 side by side, with room for 4');
    expect(code).toBe(0);
  });

  test('finds that several loops side by side do not pause', minutes, async (context) => {
    const { output, named } = await judged(context, ['--only', 'claims', ...faulty], { FAULT: 'polls', LOOPS: '4' });
    expect(named('FAIL'), output).toEqual(['claims']);
  });

  test.for(faults)('finds %s, by %s alone', minutes, async ([fault, check], context) => {
    const { code, output, named } = await judged(context, faulty, { FAULT: fault });
    expect(named('FAIL'), output).toEqual([check]);
    expect(code).toBe(1);
  });
});
