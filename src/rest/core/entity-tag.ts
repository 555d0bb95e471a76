import { createHash } from 'node:crypto';

/** A strong validator (RFC 9110, section 8.8.3) of what a dialect shows: the same text has the same tag. */
export function entityTag(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url')}"`;
}

/** Whether a job's file can no longer be downloaded; false for one without a file. */
export function hasExpired(artifactExpiresAt: Date | null, at: Date): boolean {
  return artifactExpiresAt !== null && artifactExpiresAt <= at;
}

/** Whether the client has it already: RFC 9110, section 13.1.2, by the weak comparison. */
export function isKnown(tag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch === tag) return true;
  return ifNoneMatch.split(',').some((each) => {
    const known = each.trim();
    return known === '*' || known === tag || known === `W/${tag}`;
  });
}
