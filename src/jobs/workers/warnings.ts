import type { JobsContext } from '../model/context.ts';
import type { BuiltIns } from './built-ins.ts';

/** Something that the submitter should know although the job was created. */
export interface JobWarning {
  code: 'NO_WORKER' | 'ENGINE_MISSING' | 'TYPE_PAUSED' | 'WORKSPACE_PAUSED';
  message: string;
}

/** What keeps jobs of these types from running, one warning for each code and type. Costs no query. */
export function warningsFor(
  { workforce, pauses, builtIns }: Pick<JobsContext, 'workforce' | 'pauses'> & { builtIns: BuiltIns },
  workspaceId: string,
  types: Iterable<string>,
): JobWarning[] {
  const warnings = [...new Set(types)].flatMap((type): JobWarning[] => {
    const name = JSON.stringify(type);
    return [
      ...(pauses.hasType(type) ? [{ code: 'TYPE_PAUSED' as const, message: `The type ${name} is paused. Its jobs wait until it is not.` }] : []),
      ...(workforce.takes(workspaceId, type) ? [] : [nobody(name, builtIns.missing.get(type))]),
    ];
  });
  if (!pauses.hasWorkspace(workspaceId)) return warnings;
  return [{ code: 'WORKSPACE_PAUSED', message: 'The workspace is paused. Its jobs wait until it is not.' }, ...warnings];
}

/** @param missing what a built-in worker lacks; undefined if it would not take the type in any case */
function nobody(name: string, missing: string | undefined): JobWarning {
  const noWorker = `No worker that is alive takes jobs of type ${name}. They wait until one claims this type.`;
  return missing === undefined ? { code: 'NO_WORKER', message: noWorker } : { code: 'ENGINE_MISSING', message: `${noWorker} ${missing}` };
}
