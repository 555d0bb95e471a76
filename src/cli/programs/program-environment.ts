import type { Run } from '@longhaul/client/worker';
import type { AttemptFolder } from './attempt-folder.ts';

/** Longhaul's own, none of which is a program's that works on others' inputs. */
const secretNames = new Set(['ADMIN_API_KEY', 'SECRET', 'METRICS_TOKEN', 'TRANSCRIBE_ENGINE_KEY', 'TRANSLATE_ENGINE_KEY', 'SPEECH_ENGINE_KEY']);

/** What a program finds in its environment: all that the worker does but Longhaul's keys and secrets, and what it is to do. */
export function programEnvironment({ jobId, attempt, checkpoint }: Run<unknown>, type: string, { files, output, temporary }: AttemptFolder): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSecret(name)));
  return {
    ...inherited,
    LONGHAUL_JOB_ID: jobId,
    LONGHAUL_JOB_TYPE: type,
    LONGHAUL_ATTEMPT: String(attempt),
    LONGHAUL_CHECKPOINT: checkpoint.last === null ? '' : JSON.stringify(checkpoint.last),
    LONGHAUL_FILES: files,
    LONGHAUL_OUTPUT: output,
    TMPDIR: temporary,
  };
}

function isSecret(name: string): boolean {
  return secretNames.has(name) || /^LONGHAUL_\w*(KEY|SECRET|TOKEN)$/.test(name);
}
