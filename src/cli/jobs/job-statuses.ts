import type { JobStatus } from '@longhaul/client';

/** Of jobs that go on. */
export const openStatuses = ['PENDING', 'RUNNING'] as const satisfies JobStatus[];

/** Of jobs that have ended. */
export const finalStatuses = ['COMPLETED', 'FAILED', 'CANCELLED'] as const satisfies JobStatus[];

/** Whether nothing comes after this status. Like the client's own, which is loaded only where something is asked of a server. */
export function isFinal(status: JobStatus): boolean {
  return finalStatuses.some((one) => one === status);
}
