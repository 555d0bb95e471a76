import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** `GET /health` of a worker: 200 while it works, 503 while it drains or has not reached the server for a minute. */
export async function serveHealth(port: number, state: () => { status: 'ok' | 'draining' | 'unreachable'; running: number }): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/health') return response.writeHead(404).end();
    const told = state();
    return response.writeHead(told.status === 'ok' ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify(told));
  });
  server.listen(port);
  await once(server, 'listening');
  return server;
}
