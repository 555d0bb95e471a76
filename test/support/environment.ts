import type { Environment } from 'vitest/runtime';

declare global {
  /** Set by the worker's shared Longhaul. Vitest loads environments apart from tests, so no module reaches both. */
  var stopSharedLonghaul: (() => Promise<void>) | undefined;
}

/** Stops what the files of a worker shared, when the worker ends. */
const environment: Environment = {
  name: 'longhaul',
  viteEnvironment: 'ssr',
  setup: () => ({ teardown: () => globalThis.stopSharedLonghaul?.() }),
};

export default environment;
