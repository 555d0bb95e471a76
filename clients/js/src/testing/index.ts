export { type RanHandler, runHandler, type RunOptions, type SavedFile } from './run-handler.ts';
export { startTestServer, type TestServer, type TestServerOptions } from './test-server.ts';
