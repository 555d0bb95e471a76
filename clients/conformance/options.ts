import { parseArgs } from 'node:util';
import { type CheckName, checks } from './checks.ts';

export const usage = `Judges a worker by the protocol (PROTOCOL.md, Workers).

  node_modules/.bin/node clients/conformance/main.ts [options] -- COMMAND [ARGUMENT…]

It plays the server, starts the worker's command with LONGHAUL_URL and LONGHAUL_API_KEY, gives it jobs whose handler is described in
clients/conformance/README.md, and prints a line for each check. It exits with 0 if the worker keeps the protocol, with 1 if it does
not, and with 2 if it could not be judged.

  --type NAME           type of the jobs                                          conformance
  --input JSON          an object: what the input of every job has besides        {}
  --require NAMES       abilities that it must have, separated by commas, or all  none
  --drain-seconds N     seconds for which it may go on after SIGTERM              30
  --only NAMES          these checks alone, separated by commas                   all
  --verbose             pass on what it writes

Checks: ${Object.keys(checks).join(', ')}.
Abilities: ${abilities().join(', ')}.
`;

export interface Options {
  command: readonly string[];
  type: string;
  jobInput: Record<string, unknown>;
  required: ReadonlySet<CheckName>;
  drainSeconds: number;
  /** In the order of the rules. */
  only: readonly CheckName[];
  verbose: boolean;
}

/** @throws Error that says what is wrong; null where help was asked for */
export function optionsOf(args: readonly string[]): Options | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      type: { type: 'string', default: 'conformance' },
      input: { type: 'string', default: '{}' },
      require: { type: 'string', default: '' },
      'drain-seconds': { type: 'string', default: '30' },
      only: { type: 'string', default: '' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  if (positionals.length === 0) throw new Error('Give the command that starts the worker, after --.');
  const drainSeconds = Number(values['drain-seconds']);
  if (!(drainSeconds > 0)) throw new Error(`--drain-seconds ${values['drain-seconds']} is no number of seconds above 0.`);
  const only = named(values.only);
  return {
    command: positionals,
    type: values.type,
    jobInput: objectOf(values.input),
    required: new Set(values.require === 'all' ? abilities() : named(values.require)),
    drainSeconds,
    only: allChecks().filter((name) => only.length === 0 || only.includes(name)),
    verbose: values.verbose,
  };
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below.
  }
  throw new Error(`--input ${text} is no JSON object.`);
}

function named(list: string): CheckName[] {
  const names = list.split(',').map((name) => name.trim()).filter((name) => name !== '');
  return names.map((name) => {
    const found = allChecks().find((one) => one === name);
    if (found === undefined) throw new Error(`There is no check ${name}. There are ${allChecks().join(', ')}.`);
    return found;
  });
}

function isCheck(name: string): name is CheckName {
  return name in checks;
}

function allChecks(): CheckName[] {
  return Object.keys(checks).filter(isCheck);
}

function abilities(): CheckName[] {
  return allChecks().filter((name) => checks[name].optional);
}
