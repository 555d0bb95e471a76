import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { caseNames, caseOf } from './cases/all.ts';
import { install } from './installation.ts';
import { measure, type Measured } from './measure.ts';
import { summary, table } from './report.ts';
import { Stops } from './stops.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
});
const effort = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
if (!(effort.rounds >= 1 && effort.seconds > 0)) throw new Error('--rounds and --seconds are numbers above 0.');
const chosen = (positionals.length > 0 ? positionals : caseNames).map(caseOf);

const stops = new Stops();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stops.run().finally(() => process.exit(1)));
}
const results: Measured[] = [];
try {
  const installation = await install(stops);
  for (const prepare of chosen) {
    // Contestants of other cases would compete for CPU, so stop them after each case.
    const contestants = new Stops();
    stops.push(() => contestants.run());
    try {
      for (const comparison of await prepare(installation, contestants)) {
        const result = await measure(comparison, effort);
        process.stderr.write(`${summary(result)}\n`);
        results.push(result);
      }
    } finally {
      await contestants.run();
    }
  }
} finally {
  await stops.run();
  // Print even if a case failed, so that the other results are not lost.
  if (results.length > 0) print(results);
}

function print(measured: readonly Measured[]): void {
  const [processor] = cpus();
  const how = `Medians of ${effort.rounds} rounds of ${effort.seconds} s, taking turns, after a warm-up`;
  const where = `Node ${process.version}, ${cpus().length} × ${processor?.model ?? 'unknown processor'}`;
  process.stdout.write(`\n${how}; ${where}\n\n${table(measured)}\n`);
}
