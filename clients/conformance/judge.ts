import { Verdicts } from './checks.ts';
import { Desk } from './desk.ts';
import { Files } from './files.ts';
import type { Options } from './options.ts';
import { key, PlayedServer } from './played-server.ts';
import { claims } from './scenarios/claims.ts';
import { endings } from './scenarios/endings.ts';
import { heartbeats, leaseLostEvent, lostLease, lostResult, tokens } from './scenarios/leases.ts';
import { lostAnswers, outages } from './scenarios/outages.ts';
import { stopping } from './scenarios/stopping.ts';
import { transfers } from './scenarios/transfers.ts';
import { idle, type Scenario, soon, type Stage, start, Stuck } from './stage.ts';
import { WorkerProcess } from './worker-process.ts';

const scenarios: readonly Scenario[] = [tokens, heartbeats, endings, lostLease, leaseLostEvent, lostAnswers, outages, transfers, lostResult, stopping];

/** Plays all scenarios, and tells a line for each check. @returns 0: it keeps the protocol; 1: it does not; 2: it could not be judged */
export async function judge(options: Options, print: (line: string) => void): Promise<number> {
  const { only, type, jobInput, drainSeconds } = options;
  const desk = new Desk(type);
  const files = new Files();
  const server = new PlayedServer(desk, files);
  await Promise.all([files.start(), server.start()]);
  const worker = new WorkerProcess(options.command, { LONGHAUL_URL: server.url, LONGHAUL_API_KEY: key }, options.verbose);
  const stage: Stage = { desk, files, server, worker, verdicts: new Verdicts(options.required), jobInput, drainSeconds, room: 0, claims: 0 };
  try {
    await start(stage);
    await claims.run(stage);
    if (!desk.types.has(type)) throw new Stuck(`it claims ${[...desk.types].join(', ')}, and not ${type}. Give it a handler for ${type}, or name another by --type.`);
    for (const scenario of scenarios) if (scenario.checks.some((name) => only.includes(name))) await play(scenario, stage);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    print(`The worker could not be judged: ${error.message}`);
    return 2;
  } finally {
    await worker.kill();
    server.stop();
    files.stop();
  }
  const { verdicts } = stage;
  if (desk.faults.length > 0) verdicts.fail('documents', [...new Set(desk.faults)].slice(0, 5).join('; '));
  else verdicts.pass('documents', `${desk.calls.length} calls`);
  for (const name of only) print(verdicts.line(name));
  return verdicts.good(only) ? 0 : 1;
}

/** What comes after a failure is judged with a new process: this one may still be at work. */
async function play({ checks, run }: Scenario, stage: Stage): Promise<void> {
  const { verdicts, worker, desk } = stage;
  if (!worker.running || !(await idle(stage, soon))) {
    await worker.kill();
    await start(stage);
    await idle(stage, soon);
  }
  try {
    await run(stage);
  } catch (error) {
    if (!(error instanceof Stuck)) throw error;
    for (const name of checks) if (verdicts.verdict(name) === null) verdicts.unknown(name, error.message);
  }
  desk.clearTroubles();
  desk.withdraw();
  if (checks.some((name) => verdicts.verdict(name) === 'fail' || verdicts.verdict(name) === 'unknown')) await worker.kill();
}
