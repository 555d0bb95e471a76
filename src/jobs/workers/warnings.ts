import type { JobsContext } from '../model/context.ts';

/** Something that the submitter should know although the job was created. */
export interface JobWarning {
  code: 'NO_WORKER' | 'TYPE_PAUSED' | 'WORKSPACE_PAUSED';
  message: string;
}

/** What keeps jobs of these types from running, one warning for each code and type. Costs no query. */
export function warningsFor(
  { workforce, pauses }: Pick<JobsContext, 'workforce' | 'pauses'>,
  workspaceId: string,
  types: Iterable<string>,
): JobWarning[] {
  const warnings = [...new Set(types)].flatMap((type): JobWarning[] => {
    const name = JSON.stringify(type);
    return [
      ...(pauses.hasType(type) ? [{ code: 'TYPE_PAUSED' as const, message: `The type ${name} is paused. Its jobs wait until it is not.` }] : []),
      ...(workforce.takes(workspaceId, type)
        ? []
        : [{ code: 'NO_WORKER' as const, message: `No worker that is alive takes jobs of type ${name}. They wait until one claims this type.` }]),
    ];
  });
  if (!pauses.hasWorkspace(workspaceId)) return warnings;
  return [{ code: 'WORKSPACE_PAUSED', message: 'The workspace is paused. Its jobs wait until it is not.' }, ...warnings];
}
