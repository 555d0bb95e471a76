import type { BuiltIn } from './handler.ts';
import { createDownloadHandler } from './handlers/download.ts';
import { createFingerprintHandler } from './handlers/fingerprint.ts';

/** The job types that this process can execute itself. All others wait for external workers. */
export function builtInHandlers({ maxArtifactBytes: maxBytes }: { maxArtifactBytes: number }): ReadonlyMap<string, BuiltIn> {
  return new Map([
    ['download', { handle: createDownloadHandler({ maxBytes }), writes: true }],
    ['fingerprint', { handle: createFingerprintHandler({ maxBytes }), writes: false }],
  ]);
}
