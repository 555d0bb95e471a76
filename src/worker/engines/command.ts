import { HandlerError } from '../handler.ts';
import type { MediaRun } from '../media/media.ts';
import type { EngineSetting } from './setting.ts';

/** What a command ends with that could not do it now (sysexits.h, EX_TEMPFAIL). */
const tryAgain = 75;

export interface Command {
  setting: Extract<EngineSetting, { kind: 'command' }>;
  /** By the `{name}` that stands for each in its parameters. */
  values: Readonly<Record<string, string>>;
  /** What it reads from its standard input. */
  input?: string;
  onPercentage?: (percentage: number) => void;
}

/**
 * Runs an engine in the folder of the attempt, with the environment of every program there: PATH, HOME and LANG. Resolves to what it
 * writes to its standard output. A line `progress N` of its standard error is its percentage; the rest of that is for the job's log.
 *
 * @throws HandlerError ENGINE_FAILED, which may be tried again if it ends with 75
 */
export async function runCommand(run: MediaRun, { setting, values, input, onPercentage }: Command): Promise<Buffer> {
  const parameters = setting.parameters.map((parameter) => parameter.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole));
  const { ended, output } = await run.engine(setting.program, {
    parameters,
    ...(input !== undefined && { input }),
    takes: (line) => {
      const [, percentage] = /^progress (\d{1,3}(?:\.\d+)?)$/.exec(line) ?? [];
      if (percentage !== undefined) onPercentage?.(Math.min(100, Number(percentage)));
      return percentage !== undefined;
    },
  });
  if (ended.code === 0) return output;
  const why = ended.late ? 'took too long' : ended.code === null ? 'was broken off' : `ended with ${ended.code}`;
  throw new HandlerError('ENGINE_FAILED', `The engine of this server ${why}. The job's log has what it says.`, { retryable: ended.code === tryAgain || ended.code === null });
}
