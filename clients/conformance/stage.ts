import type { Assignment } from './assignment.ts';
import type { CheckName, Verdicts } from './checks.ts';
import type { Desk } from './desk.ts';
import type { Files, StoredFile } from './files.ts';
import type { PlayedServer } from './played-server.ts';
import type { WorkerProcess } from './worker-process.ts';

/** How long a worker may take to claim, in milliseconds: longer than it pauses after some failures in a row. */
export const soon = 12_000;

/** What a scenario needs. */
export interface Stage {
  desk: Desk;
  files: Files;
  server: PlayedServer;
  worker: WorkerProcess;
  verdicts: Verdicts;
  /** What every job's input has besides. */
  jobInput: Record<string, unknown>;
  /** Seconds for which the worker may go on after SIGTERM. */
  drainSeconds: number;
  /** How many jobs the idle worker has room for. */
  room: number;
  /** How many claims it makes side by side. */
  claims: number;
}

export interface Scenario {
  checks: readonly CheckName[];
  run(stage: Stage): Promise<void>;
}

/** Thrown where a scenario cannot go on. */
export class Stuck extends Error {}

interface Offered {
  /** Of the lease. */
  seconds?: number;
  id?: string;
  attempt?: number;
  checkpoint?: unknown;
  file?: StoredFile;
}

/** Offers a job, and waits until the worker has it. */
export async function given(stage: Stage, input: Record<string, unknown>, offered: Offered = {}): Promise<Assignment> {
  const assignment = offer(stage, input, offered);
  await taken(stage, assignment);
  return assignment;
}

export function offer({ desk, jobInput }: Stage, input: Record<string, unknown>, { seconds = 30, file, ...more }: Offered = {}): Assignment {
  const reference = `upload:${file?.id ?? ''}`;
  const named = file === undefined ? {} : { sourceUrl: reference };
  return desk.offer({ ...jobInput, ...named, ...input }, seconds, { ...more, ...(file === undefined ? {} : { files: [{ reference, file }] }) });
}

export async function taken({ desk }: Stage, assignment: Assignment): Promise<void> {
  if (await desk.until(() => assignment.held, soon)) return;
  desk.withdraw();
  throw new Stuck(`a job was not claimed within ${soon / 1_000} s`);
}

/** Waits for its end, as many seconds as the job takes and the time that a worker may take. @returns whether it came */
export function ended({ desk }: Stage, assignment: Assignment, seconds = 0): Promise<boolean> {
  return desk.until(() => assignment.end !== null, seconds * 1_000 + soon);
}

/** Waits until the worker has room for as many jobs as at first. */
export async function idle({ desk, room }: Stage, milliseconds: number): Promise<boolean> {
  const first = Math.min(200, milliseconds);
  const hasRoom = () => desk.room >= room;
  if (await desk.until(hasRoom, first)) return true;
  // They may be from before there was room.
  desk.answerClaims();
  return desk.until(hasRoom, milliseconds - first);
}

/** Starts the worker, and waits for its first claim. */
export async function start({ desk, worker }: Stage): Promise<void> {
  const before = desk.calls.length;
  await worker.start();
  const claimed = await desk.until(() => desk.calls.length > before || !worker.running, soon);
  if (!claimed || !worker.running) throw new Stuck(`the worker ${worker.running ? 'did not claim' : 'exited'} after its start:\n${worker.tail}`);
}

export function shown(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
