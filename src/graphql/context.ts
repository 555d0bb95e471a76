import type { Services } from '../services.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { Loaders } from './loaders.ts';

/** What resolvers receive. Each execution has its own context. */
export interface GraphQLContext extends Services {
  /** Null without a key; fields that need one answer UNAUTHENTICATED. */
  viewer: Viewer | null;
  loaders: Loaders;
  /** Aborted when the client disconnects; with an UnauthenticatedError when its credentials lapse. */
  signal: AbortSignal | null;
  /** Where a subscription resumes: an event stream's Last-Event-ID, which overrides the argument. */
  resumeAfter?: string | null;
  /** Called when a resumed subscription has caught up. */
  onLive?: () => void;
}
