import packageJson from '../../../package.json' with { type: 'json' };
import type { Job } from '../../jobs/model/job.ts';
import type { DialectProfile } from './dialect-profile.ts';

/**
 * A strong validator (RFC 9110, section 8.8.3) of a job as a dialect shows it: it names everything that the text depends
 * on. A version never comes twice; a link to a file goes when the file expires, without a new version.
 */
export function entityTag({ name }: DialectProfile, { id, version, artifactExpiresAt }: Job, at: Date): string {
  const expired = hasExpired(artifactExpiresAt, at) ? '-expired' : '';
  return `"${name.toLowerCase()}-${packageJson.version}-${id}-${version}${expired}"`;
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
