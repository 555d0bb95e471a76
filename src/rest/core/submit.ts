import { ValidationError } from '../../errors.ts';
import type { Job, JsonObject } from '../../jobs/model/job.ts';
import type { Call } from './call.ts';
import { RefusedError } from './refusal.ts';

export interface Submission {
  type: string;
  input: JsonObject;
  webhookUrl?: string | null | undefined;
  /** The submitter's own reference (RevidAPI's `id`). */
  clientReference?: string | null | undefined;
}

/** Where in the body the client sent each part of a submission, so that issues can name it; `[]` is the body itself. */
export interface Places {
  type: readonly string[];
  input: readonly string[];
  webhookUrl: readonly string[];
}

/**
 * Creates the job that a client of a dialect asks for: PENDING and charged, or nothing at all.
 *
 * @throws RefusedError INVALID_BODY, its paths as the client sent the fields; InsufficientCreditsError, QueueFullError
 */
export async function submit(call: Call, asked: Submission, places: Places): Promise<Job> {
  const { services, viewer, dialect } = call;
  const { clientReference = null, ...request } = asked;
  try {
    const origin = { dialect: dialect.name, clientReference };
    return await services.jobs.create(viewer.workspaceId, request, origin);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({ path: placeOf(path, places), message }));
    throw new RefusedError({ kind: 'INVALID_BODY', issues });
  }
}

function placeOf([part, ...rest]: string[], places: Places): string[] {
  switch (part) {
    case 'type':
    case 'input':
    case 'webhookUrl':
      return [...places[part], ...rest];
    case undefined:
      return [];
    default:
      return [part, ...rest];
  }
}
