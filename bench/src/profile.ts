/*
 * Profiles Longhaul's process under the load of a case: `npm run profile -- job-query`. Prints the packages and functions
 * with the most CPU samples in one measured round, both on their own and including what they call.
 */
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { caseOf } from './cases/all.ts';
import { install } from './installation.ts';
import { Stops } from './stops.ts';

interface Frame {
  functionName: string;
  url: string;
  lineNumber: number;
}

interface Profile {
  nodes: { id: number; callFrame: Frame; children?: number[] }[];
  /** Microseconds of the monotonic clock, which all processes of a machine share. */
  startTime: number;
  samples: number[];
  timeDeltas: number[];
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '6' } },
});
const seconds = Number(values.seconds);
const prepare = caseOf(positionals[0] ?? 'job-query');
const folder = await mkdtemp(join(tmpdir(), 'longhaul-profile-'));
const stops = new Stops();
let window: [number, number] = [0, 0];
try {
  const installation = await install(stops);
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'];
  const [comparison] = await prepare({ ...installation, nodeOptions }, stops);
  if (comparison === undefined) throw new Error('The case compares nothing.');
  const [longhaul] = comparison.sides;
  await longhaul.round(seconds);
  const start = monotonic();
  await longhaul.round(seconds);
  window = [start, monotonic()];
} finally {
  await stops.run();
}
const [file] = await readdir(folder);
if (file === undefined) throw new Error('Longhaul does not run in a process of its own in this case.');
const profile: Profile = JSON.parse(await readFile(join(folder, file), 'utf8'));
process.stdout.write(`${render(profile)}\nThe whole profile, for the developer tools of a browser: ${join(folder, file)}\n`);

function monotonic(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

function render({ nodes, samples, timeDeltas, startTime }: Profile): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  const totals = new Map<string, number>();
  let busy = 0;
  let at = startTime;
  for (const [index, id] of samples.entries()) {
    const delta = timeDeltas[index] ?? 0;
    at += delta;
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === '(idle)' || at < window[0] || at > window[1]) continue;
    busy += delta;
    add(packages, ownerOf(frame), delta);
    add(functions, nameOf(frame), delta);
    // Count a recursive function once.
    const stack = new Set<string>();
    for (let caller: number | undefined = id; caller !== undefined; caller = callers.get(caller)) {
      const calling = frames.get(caller);
      if (calling !== undefined && !calling.functionName.startsWith('(')) stack.add(nameOf(calling));
    }
    for (const name of stack) add(totals, name, delta);
  }
  const list = (shares: Map<string, number>, length: number) =>
    [...shares]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, length)
      .map(([name, share]) => `  ${((100 * share) / busy).toFixed(1).padStart(5)} %  ${name}\n`)
      .join('');
  return [
    'Of the time that the process was busy',
    `By package, itself\n${list(packages, 20)}`,
    `By function, itself\n${list(functions, 30)}`,
    `By function, with all it calls\n${list(totals, 50)}`,
  ].join('\n\n');
}

function add(shares: Map<string, number>, name: string, share: number): void {
  shares.set(name, (shares.get(name) ?? 0) + share);
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  return `${functionName || '(anonymous)'}  ${placeOf(url)}:${lineNumber + 1}`;
}

function placeOf(url: string): string {
  return url.replace(/^.*\/node_modules\//, '').replace(/^.*\/src\//, 'src/');
}

function ownerOf({ url, functionName }: Frame): string {
  if (url.includes('/node_modules/')) return /^(?:@[^/]+\/)?[^/]+/.exec(placeOf(url))?.[0] ?? url;
  if (url.startsWith('node:')) return 'Node.js';
  if (url === '') return functionName.startsWith('(') ? functionName : 'native and generated code';
  return 'Longhaul';
}
