import type { Readable } from 'node:stream';
import { defineHandler, Fatal, type Handler, Retryable, type Run } from '@longhaul/client/worker';
import { shownPeriod } from '../output/amounts.ts';
import { AttemptFolder } from './attempt-folder.ts';
import { linesOf, piecesOf } from './piped-lines.ts';
import { type OutputForm, PrintedOutput } from './printed-output.ts';
import { programEnvironment } from './program-environment.ts';
import { type ProgramEnd, runInGroup } from './run-in-group.ts';
import { SteadyLog } from './steady-log.ts';
import { lineText, readToldLine } from './told-line.ts';

/** How a command is run for each job. */
export interface ProgramOptions {
  command: readonly [string, ...string[]];
  outputForm: OutputForm;
  /** Milliseconds between SIGTERM and SIGKILL. */
  grace: number;
  /** Told what happens, a line each. */
  tell: (line: string) => void;
}

/** "Another attempt may help" (EX_TEMPFAIL of sysexits.h). */
const temporaryFailure = 75;

/** Exit codes above tell, by the custom of shells, that a signal ended the program. */
const lastOwnExitCode = 128;

/** Bytes of a line of the log, longer ones being cut by the server, and of a line that is told to the worker, which may bring a checkpoint. */
const longest = { logLine: 8_192, toldLine: 256 * 1_024 };

/** Bytes of a checkpoint, as JSON. */
const largestCheckpoint = 65_536;

const longestReason = 500;

/** A handler that runs a command for each job. */
export function programHandler(type: string, options: ProgramOptions): Handler {
  return defineHandler({ type, run: (run) => runFor(run, type, options) });
}

async function runFor(run: Run<unknown>, type: string, { command, outputForm, grace, tell }: ProgramOptions): Promise<unknown> {
  const folder = await AttemptFolder.make();
  const beganAt = performance.now();
  try {
    const input = JSON.stringify(await folder.fetchInput(run));
    tell(`${run.jobId} begins, attempt ${run.attempt}`);
    const output = new PrintedOutput(outputForm);
    const log = new SteadyLog(run.log);
    const asked: { retryAfter?: number } = {};
    const hear = (bytes: Buffer) => obey(lineText(bytes), run, log, asked);
    const end = await runInGroup({
      command,
      env: programEnvironment(run, type, folder),
      input,
      signal: run.signal,
      grace,
      readOutput: async (pipe: Readable) => {
        for await (const { bytes, isWhole } of linesOf(pipe, longest.toldLine)) if (!isWhole || !hear(bytes)) output.add(bytes);
      },
      readErrors: async (pipe: Readable) => {
        for await (const { bytes, isWhole } of linesOf(pipe, longest.toldLine)) {
          if (isWhole && hear(bytes)) continue;
          for (const piece of piecesOf(bytes, longest.logLine)) log.write('info', lineText(piece));
        }
      },
    });
    log.tellLeftOut();
    tell(`${run.jobId} ${endText(end)} after ${shownPeriod(performance.now() - beganAt)}${run.signal.aborted ? `, being told to stop (${String(run.signal.reason)})` : ''}`);
    if (end.code !== 0) throw failureOf(end, log.last, asked);
    const value = output.value();
    await folder.saveResults(run);
    return value;
  } finally {
    await folder.remove().catch((error: unknown) => tell(`${run.jobId} left files that cannot be removed: ${String(error)}`));
  }
}

/** @returns whether the line was for the worker */
function obey(line: string, run: Run<unknown>, log: SteadyLog, asked: { retryAfter?: number }): boolean {
  const told = line.startsWith('::') ? readToldLine(line) : null;
  switch (told?.kind) {
    case undefined:
      return false;
    case 'progress':
      run.progress(told.percentage, told.message, told.step);
      break;
    case 'checkpoint':
      if (Buffer.byteLength(JSON.stringify(told.value)) > largestCheckpoint) log.write('warn', `A checkpoint of more than ${largestCheckpoint} bytes was not saved.`);
      else run.checkpoint.save(told.value);
      break;
    case 'retry-after':
      asked.retryAfter = told.seconds;
      break;
    case 'debug':
    case 'warn':
    case 'error':
      log.write(told.kind, told.message);
  }
  return true;
}

function failureOf(end: ProgramEnd, lastLine: string, { retryAfter }: { retryAfter?: number }): Retryable | Fatal {
  const code = end.code === null ? `ENDED_BY_${end.signal ?? 'SIGNAL'}` : `EXIT_${end.code}`;
  const message = `The command ${endText(end)}${lastLine === '' ? '.' : `: ${lastLine.slice(0, longestReason)}`}`;
  const isWorthAnother = end.code === null || end.code === temporaryFailure || end.code > lastOwnExitCode;
  return isWorthAnother ? new Retryable({ code, message, ...(retryAfter === undefined ? {} : { after: retryAfter }) }) : new Fatal(code, message);
}

function endText({ code, signal }: ProgramEnd): string {
  return code === null ? `was ended by ${signal ?? 'a signal'}` : `exited with ${code}`;
}
