import type { Handler } from './handler.ts';
import { createDownloadHandler } from './handlers/download.ts';
import { createFingerprintHandler } from './handlers/fingerprint.ts';

/** The job types that this process can execute itself. All others wait for external workers. */
export function builtInHandlers({ maxArtifactBytes: maxBytes }: { maxArtifactBytes: number }): ReadonlyMap<string, Handler> {
  return new Map([
    ['download', createDownloadHandler({ maxBytes })],
    ['fingerprint', createFingerprintHandler({ maxBytes })],
  ]);
}
