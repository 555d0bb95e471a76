import { z } from 'zod';
import { LonghaulError } from '../errors.ts';
import type { ChangeCursor } from '../jobs/feed/changes.ts';
import { howToBeginAnew } from '../jobs/feed/updates.ts';
import type { Cursors } from '../cursors.ts';

const snapshot = z.string().regex(/^\d+:\d+:[\d,]*$/);

/** Arrays rather than objects keep cursors short: each update carries one. */
const place = z.union([
  z.tuple([snapshot, z.number()]),
  z.tuple([snapshot, z.number(), snapshot, z.number(), z.string().regex(/^\d+$/), z.uuid()]),
]);

/** Makes an opaque cursor for one workspace's updates. */
export function encodeUpdateCursor(cursors: Cursors, workspaceId: string, { from, within }: ChangeCursor): string {
  const parts: z.infer<typeof place> =
    within === undefined
      ? [from.snapshot, from.at]
      : [from.snapshot, from.at, within.to.snapshot, within.to.at, within.xid, within.jobId];
  return cursors.seal(listOf(workspaceId), Buffer.from(JSON.stringify(parts)));
}

/** Throws BAD_USER_INPUT for a cursor that is not of this workspace's updates. */
export function decodeUpdateCursor(cursors: Cursors, workspaceId: string, cursor: string): ChangeCursor {
  const bytes = cursors.open(listOf(workspaceId), cursor);
  if (bytes === null) {
    throw new LonghaulError(
      'BAD_USER_INPUT',
      `after is not a cursor of this workspace's updates. Use one that an update brought, or begin anew: ${howToBeginAnew}`,
    );
  }
  const parts = place.parse(JSON.parse(bytes.toString()));
  const from = { snapshot: parts[0], at: parts[1] };
  if (parts.length === 2) return { from };
  const [, , to, at, xid, jobId] = parts;
  return { from, within: { to: { snapshot: to, at }, xid, jobId } };
}

function listOf(workspaceId: string): string {
  return `updates ${workspaceId}`;
}
