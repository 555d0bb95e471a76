import { CommandError } from '../command-error.ts';

/** What a command ends with that was asked about a job that is not there. */
export function noSuchJob(id: string): CommandError {
  return new CommandError(`There is no job ${id} for this key. Check the id, and the workspace: longhaul whoami`);
}
