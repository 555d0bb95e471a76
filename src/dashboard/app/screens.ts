import type { ComponentType } from 'preact';
import { Screen as Jobs } from '../jobs/jobs-screen.tsx';
import type { Scope } from '../generated/app.ts';
import { lazyPart } from './lazy-part.tsx';

export interface ScreenEntry {
  /** In the navigation and in the title. */
  name: string;
  /** `jobs`, `jobs/:id`. */
  path: string;
  /** `parts`: what the path's colons stand for. */
  Screen: ComponentType<{ parts: readonly string[] }>;
  /** Keys without it are offered and shown none of it. */
  scope: Scope;
  /** Goes there after `g`; only screens with one are in the navigation. */
  key?: string;
}

/** Every screen of the page. All but the first one are loaded when they are opened. */
export const screens: readonly ScreenEntry[] = [
  { name: 'Overview', path: 'overview', key: 'o', scope: 'READ', Screen: lazyPart(async () => (await import('../overview/overview-screen.tsx')).Screen) },
  { name: 'Jobs', path: 'jobs', key: 'j', scope: 'READ', Screen: Jobs },
  { name: 'Workers', path: 'workers', key: 'w', scope: 'READ', Screen: lazyPart(async () => (await import('../workers/workers-screen.tsx')).Screen) },
  { name: 'Types', path: 'types', key: 't', scope: 'READ', Screen: lazyPart(async () => (await import('../types/types-screen.tsx')).Screen) },
  { name: 'Job', path: 'jobs/:id', scope: 'READ', Screen: lazyPart(async () => (await import('../job/job-screen.tsx')).Screen) },
  { name: 'New job', path: 'new', scope: 'WRITE', Screen: lazyPart(async () => (await import('../new-job/new-job-screen.tsx')).Screen) },
  { name: 'Schedules', path: 'schedules', key: 's', scope: 'READ', Screen: lazyPart(async () => (await import('../schedules/schedules-screen.tsx')).Screen) },
  { name: 'Schedule', path: 'schedules/:id', scope: 'READ', Screen: lazyPart(async () => (await import('../schedules/schedule-screen.tsx')).Screen) },
  { name: 'Bulk actions', path: 'bulk', key: 'b', scope: 'READ', Screen: lazyPart(async () => (await import('../bulk/bulk-screen.tsx')).Screen) },
  { name: 'Webhooks', path: 'webhooks', key: 'h', scope: 'READ', Screen: lazyPart(async () => (await import('../webhooks/webhooks-screen.tsx')).Screen) },
  { name: 'Credits', path: 'credits', key: 'c', scope: 'READ', Screen: lazyPart(async () => (await import('../credits/credits-screen.tsx')).Screen) },
  { name: 'Workspaces', path: 'workspaces', key: 'p', scope: 'ADMIN', Screen: lazyPart(async () => (await import('../workspaces/workspaces-screen.tsx')).Screen) },
  { name: 'Keys', path: 'keys', key: 'k', scope: 'ADMIN', Screen: lazyPart(async () => (await import('../api-keys/api-keys-screen.tsx')).Screen) },
  { name: 'Audit', path: 'audit', key: 'a', scope: 'ADMIN', Screen: lazyPart(async () => (await import('../audit/audit-screen.tsx')).Screen) },
];

/** Where the page begins. */
export const firstScreen = ['jobs'];

/** The screen of a path, and what its colons stand for. */
export function screenOf(path: readonly string[]): { screen: ScreenEntry; parts: readonly string[] } | null {
  for (const screen of screens) {
    const pattern = screen.path.split('/');
    if (pattern.length !== path.length) continue;
    if (pattern.every((part, at) => part.startsWith(':') || part === path[at])) {
      return { screen, parts: path.filter((_part, at) => pattern[at]?.startsWith(':')) };
    }
  }
  return null;
}
