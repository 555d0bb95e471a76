import type { Services } from '../services.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { Loaders } from './loaders.ts';

/** What resolvers work with, for one request or one operation on a socket. */
export interface GraphQLContext extends Services {
  /** Null where no key was given: what needs one answers UNAUTHENTICATED. */
  viewer: Viewer | null;
  loaders: Loaders;
  /** Aborted when the client is gone. */
  signal: AbortSignal | null;
  /** Where a subscription resumes, in place of its own argument: an event stream's Last-Event-ID. */
  resumeAfter?: string | null;
  /** Called when a subscription that resumed has nothing left to make up for. */
  onLive?: () => void;
}
