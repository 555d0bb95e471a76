import type { Job } from '../../jobs/model/job.ts';
import { isJobProperty } from '../../jobs/model/rows.ts';

/** What fields of GraphQL's Job read that is not the property of their name. */
const others: Readonly<Record<string, readonly (keyof Job)[]>> = {
  __typename: [],
  uuid: ['id'],
  input: ['input', 'type'],
  attempts: ['id'],
  retries: ['id'],
  logs: ['id', 'workspaceId'],
  webhookDeliveries: ['id'],
  uploads: ['id', 'workspaceId'],
  artifacts: ['id', 'workspaceId', 'artifactId', 'artifactExpiresAt'],
  downloadUrl: ['artifactId', 'artifactExpiresAt', 'output'],
  downloadUrlExpiresAt: ['artifactId', 'artifactExpiresAt', 'output'],
  vendorId: ['id', 'type', 'dialect'],
  retryOf: ['retryOfId', 'workspaceId'],
  schedule: ['scheduleId', 'workspaceId'],
  nextAttemptAt: ['status', 'failedAttempts', 'dueAt'],
};

const remembered = new WeakMap<ReadonlySet<string>, ReadonlySet<keyof Job> | null>();

/** The properties that these fields of GraphQL's Job read; null for all, if one is not known here. */
export function propertiesOf(fields: ReadonlySet<string>): ReadonlySet<keyof Job> | null {
  const known = remembered.get(fields);
  if (known !== undefined) return known;
  const read = [...fields].map((field) => others[field] ?? (isJobProperty(field) ? [field] : null));
  const properties = read.every((each) => each !== null) ? new Set(read.flat()) : null;
  remembered.set(fields, properties);
  return properties;
}
