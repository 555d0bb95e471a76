import type { Environment } from 'vitest/runtime';

declare global {
  /** Set by the worker's shared Longhaul. A global, because Vitest environments share no modules with tests. */
  var stopSharedLonghaul: (() => Promise<void>) | undefined;
}

/** Stops the Longhaul that a worker's test files share, when the worker ends. */
const environment: Environment = {
  name: 'longhaul',
  viteEnvironment: 'ssr',
  setup: () => ({ teardown: () => globalThis.stopSharedLonghaul?.() }),
};

export default environment;
