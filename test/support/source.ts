import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** An HTTP server for one file, which is sent under the test's control. */
export interface Source {
  url: string;
  /** Number of requests. */
  readonly asked: number;
  /** The current answer, with its headers sent. Waits for a request. */
  answer(): Promise<ServerResponse>;
  /** Answers all further requests with this content. */
  sendEach(content: Buffer): void;
}

/** Serves one file of this size at any path. The caller writes its bytes. Closed after the test. */
export async function openSource(bytes: number, headers: Record<string, string> = {}): Promise<Source> {
  let asked = 0;
  let whole: Buffer | null = null;
  const first = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': bytes, ...headers });
    response.flushHeaders();
    first.resolve(response);
    if (whole !== null) response.end(whole);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the source listens nowhere');
  return {
    url: `http://localhost:${address.port}/clips/holiday.mp4`,
    get asked() {
      return asked;
    },
    answer: () => first.promise,
    sendEach: (content) => {
      whole = content;
    },
  };
}
