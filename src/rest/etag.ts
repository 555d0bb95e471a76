import packageJson from '../../package.json' with { type: 'json' };
import type { Job } from '../jobs/job.ts';
import type { RestDialect } from './dialect.ts';

/**
 * A strong validator (RFC 9110, section 8.8.3) of a job as a dialect shows it: everything that its text depends on. A
 * version never comes twice; a link to a file goes when the file does, without a new version.
 */
export function entityTag({ name }: RestDialect, { id, version, artifactExpiresAt }: Job): string {
  const expired = artifactExpiresAt !== null && artifactExpiresAt.getTime() <= Date.now() ? '-expired' : '';
  return `"${name.toLowerCase()}-${packageJson.version}-${id}-${version}${expired}"`;
}

/** Whether the client has it already: RFC 9110, section 13.1.2, by the weak comparison. */
export function isKnown(tag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((each) => {
    const known = each.trim();
    return known === '*' || known === tag || known === `W/${tag}`;
  });
}
