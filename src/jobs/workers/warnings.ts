import type { Workforce } from './workforce.ts';

/** Something that the submitter should know although the job was created. */
export interface JobWarning {
  code: 'NO_WORKER';
  message: string;
}

/** What keeps jobs of these types from running, one warning for each code and type. Costs no query. */
export function warningsFor({ workforce }: { workforce: Workforce }, workspaceId: string, types: Iterable<string>): JobWarning[] {
  return [...new Set(types)].flatMap((type): JobWarning[] =>
    workforce.takes(workspaceId, type)
      ? []
      : [{ code: 'NO_WORKER', message: `No worker that is alive takes jobs of type ${JSON.stringify(type)}. They wait until one claims this type.` }],
  );
}
