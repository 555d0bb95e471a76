import type { ComponentType } from 'preact';
import * as jobs from '../jobs/screen.tsx';
import type { Scope } from '../generated/app.ts';

/** What the module of a screen exports. `parts`: what the pattern's colons stand for. */
export interface ScreenModule {
  Screen: ComponentType<{ parts: readonly string[] }>;
}

export interface ScreenEntry {
  /** In the navigation and in the title. */
  name: string;
  /** `jobs`, `jobs/:id`. */
  path: string;
  load: () => Promise<ScreenModule>;
  /** Not offered to keys without it. READ where not given. */
  scope?: Scope;
  /** Goes there after `g`; only screens with one are in the navigation. */
  key?: string;
}

/** Every screen of the page. All but the first one are loaded when they are opened. */
export const screens: readonly ScreenEntry[] = [
  { name: 'Overview', path: 'overview', key: 'o', load: () => import('../overview/screen.tsx') },
  { name: 'Jobs', path: 'jobs', key: 'j', load: () => Promise.resolve(jobs) },
  { name: 'Workers', path: 'workers', key: 'w', load: () => import('../workers/screen.tsx') },
  { name: 'Types', path: 'types', key: 't', load: () => import('../types/screen.tsx') },
  { name: 'Job', path: 'jobs/:id', load: () => import('../job/screen.tsx') },
  { name: 'New job', path: 'new', scope: 'WRITE', load: () => import('../new/screen.tsx') },
  { name: 'Schedules', path: 'schedules', key: 's', load: () => import('../schedules/screen.tsx') },
  { name: 'Schedule', path: 'schedules/:id', load: () => import('../schedules/schedule-screen.tsx') },
  { name: 'Bulk actions', path: 'bulk', key: 'b', load: () => import('../bulk/screen.tsx') },
  { name: 'Webhooks', path: 'webhooks', key: 'h', load: () => import('../webhooks/screen.tsx') },
  { name: 'Credits', path: 'credits', key: 'c', load: () => import('../credits/screen.tsx') },
  { name: 'Workspaces', path: 'workspaces', key: 'p', scope: 'ADMIN', load: () => import('../workspaces/screen.tsx') },
  { name: 'Keys', path: 'keys', key: 'k', scope: 'ADMIN', load: () => import('../api-keys/screen.tsx') },
  { name: 'Audit', path: 'audit', key: 'a', scope: 'ADMIN', load: () => import('../audit/screen.tsx') },
];

/** Where the page begins. */
export const firstScreen = ['jobs'];

/** The screen of a path, and what its colons stand for. */
export function screenOf(path: readonly string[]): { entry: ScreenEntry; parts: readonly string[] } | null {
  for (const entry of screens) {
    const pattern = entry.path.split('/');
    if (pattern.length !== path.length) continue;
    if (pattern.every((part, at) => part.startsWith(':') || part === path[at])) {
      return { entry, parts: path.filter((_part, at) => pattern[at]?.startsWith(':')) };
    }
  }
  return null;
}
