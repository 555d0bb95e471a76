import type { Plugin } from 'graphql-yoga';
import { RateLimitedError } from '../errors.ts';
import type { Services } from '../services.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { GraphQLContext } from './context.ts';
import { publicError } from './public-error.ts';
import { isWorkAlone } from './work-calls.ts';

/**
 * Counts one operation of the viewer, unless it is a worker's and nothing else.
 *
 * @throws RateLimitedError
 */
export async function countOperation(
  { rateLimiter }: Pick<Services, 'rateLimiter'>,
  viewer: Viewer | null,
  isWork: boolean,
): Promise<void> {
  if (viewer === null || (isWork && (viewer.scopes.has('WORK') || viewer.scopes.has('WORK_ALL')))) return;
  const verdict = await rateLimiter.consume(viewer);
  if (verdict !== null && !verdict.allowed) throw new RateLimitedError(verdict.limit, verdict.retryAfter);
}

/**
 * Counts the operations that Yoga carries out; those that go past it are counted where they do. Subscriptions are not
 * counted, they have limits of their own: after a restart all watchers come back at once, and a refusal would end them.
 */
export function rateLimitPlugin({ log }: Services): Plugin<GraphQLContext> {
  return {
    onExecute: async ({ args: { contextValue, document, operationName }, setResultAndStopExecution }) => {
      try {
        await countOperation(contextValue, contextValue.viewer, isWorkAlone(document, operationName));
      } catch (error) {
        setResultAndStopExecution({ errors: [publicError(error, log)] });
      }
    },
  };
}
