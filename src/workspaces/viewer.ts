import type { Scope } from './scope.ts';

/** Who asks: a key that was found valid for the surface it came through. */
export interface Viewer {
  apiKeyId: string;
  workspaceId: string;
  scopes: ReadonlySet<Scope>;
}

/** Where a worker's calls reach: its own workspace, or with WORK_ALL every one (null). */
export function workScope({ workspaceId, scopes }: Viewer): string | null {
  return scopes.has('WORK_ALL') ? null : workspaceId;
}
