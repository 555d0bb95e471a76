import { z } from 'zod';
import { LonghaulError } from '../errors.ts';
import { changeDays } from '../jobs/retention/change-retention.ts';
import type { ChangeCursor } from '../jobs/feed/changes.ts';
import { howToBeginAnew } from '../jobs/feed/updates.ts';
import type { Cursors } from './cursor.ts';

/** Milliseconds that a cursor is good for: the changes after it are kept as long. */
const lifetime = changeDays * 24 * 60 * 60 * 1_000;

const snapshot = z.string().regex(/^\d+:\d+:[\d,]*$/);

/** Arrays rather than objects: each update carries one. */
const place = z.union([
  z.tuple([snapshot, z.number()]),
  z.tuple([snapshot, z.number(), snapshot, z.number(), z.string().regex(/^\d+$/), z.uuid()]),
]);

/** A cursor of one workspace's updates, which clients give back as it is. */
export function encodeUpdateCursor(cursors: Cursors, workspaceId: string, { from, within }: ChangeCursor): string {
  const parts: z.infer<typeof place> =
    within === undefined
      ? [from.snapshot, from.at]
      : [from.snapshot, from.at, within.to.snapshot, within.to.at, within.xid, within.jobId];
  return cursors.seal(listOf(workspaceId), Buffer.from(JSON.stringify(parts)));
}

/**
 * Throws BAD_USER_INPUT for what is no cursor of this workspace's updates, and for one whose changes are kept no longer.
 *
 * @param now milliseconds since 1970
 */
export function decodeUpdateCursor(cursors: Cursors, workspaceId: string, cursor: string, now = Date.now()): ChangeCursor {
  const bytes = cursors.open(listOf(workspaceId), cursor);
  if (bytes === null) {
    throw new LonghaulError(
      'BAD_USER_INPUT',
      `after is not a cursor of this workspace's updates. Use one that an update brought, or begin anew: ${howToBeginAnew}`,
    );
  }
  const parts = place.parse(JSON.parse(bytes.toString()));
  const from = { snapshot: parts[0], at: parts[1] };
  if (from.at < now - lifetime) {
    throw new LonghaulError(
      'BAD_USER_INPUT',
      `after is older than ${changeDays} days, and what changed since is not kept so long. ${howToBeginAnew}`,
    );
  }
  if (parts.length === 2) return { from };
  const [, , to, at, xid, jobId] = parts;
  return { from, within: { to: { snapshot: to, at }, xid, jobId } };
}

function listOf(workspaceId: string): string {
  return `updates ${workspaceId}`;
}
