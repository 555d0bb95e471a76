import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import type { Longhaul } from './longhaul.ts';

/** A received POST. */
export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver of webhooks. Needs OUTBOUND_ALLOW=127.0.0.1. Closed after the test. */
export interface Receiver {
  url: string;
  /** Its URL; it listens on every address of this machine. */
  port: number;
  /** In order of arrival. */
  received: readonly Received[];
}

/** Handles a request. It may also never answer. */
export type Answering = (response: ServerResponse, request: Received, number: number) => void;

/** Answers with this status. */
export function status(code: number): Answering {
  return (response) => void response.writeHead(code).end();
}

/** Each request is handled by the next answer; the last one repeats. Default: 204. */
export async function startReceiver(...answers: [Answering, ...Answering[]] | []): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body: Buffer.concat(chunks).toString() };
      const number = received.push(one);
      const answer = answers[number - 1] ?? answers.at(-1) ?? status(204);
      answer(response, one, number);
    });
    // A killed process closes its connections.
    request.on('error', () => undefined);
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { received, port, url: `http://127.0.0.1:${port}/hook?token=of-the-receiver` };
}

/** A job's deliveries, oldest first. */
export async function deliveriesOf(longhaul: Longhaul, key: string, jobId: string): Promise<JsonObject[]> {
  const { data, errors } = await longhaul.graphql(
    `query ($id: ID!) { job(id: $id) { webhookDeliveries(first: 100) { edges { node {
      id url event status attemptCount lastResponseStatus lastError createdAt deliveredAt
    } } } } }`,
    { id: jobId },
    key,
  );
  if (data === null) throw new Error(`the log cannot be read: ${JSON.stringify(errors)}`);
  const { job } = data as { job: { webhookDeliveries: { edges: { node: JsonObject }[] } } };
  return job.webhookDeliveries.edges.map(({ node }) => node);
}

/** Makes every delivery of this installation due, as if its pause had passed. */
export async function becomeDueAgain({ services, deliverer }: Longhaul): Promise<void> {
  await services.database.hot.query(
    `UPDATE webhook_delivery SET due_at = now() WHERE status = 'PENDING' AND NOT ready AND NOT sending`,
  );
  deliverer.wake();
}
