import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { CommandError, UsageError } from '../command-error.ts';
import { askSecret } from '../contexts/ask.ts';
import { httpUrl } from '../http-url.ts';
import { onInterruption } from '../interruption.ts';
import { oneLine } from '../output/plain-text.ts';
import { wholeNumber } from '../options.ts';

interface Options {
  port: number;
  host: string;
  forward?: string;
  jsonl?: true;
}

/** Above what any job makes: its input and its output. */
const mostBytes = 16 * 1024 * 1024;

/** For which Longhaul waits for an answer, in milliseconds. */
const answerWithin = 10_000;

/** What is passed on with a body. */
const forwarded = ['content-type', 'webhook-id', 'webhook-timestamp', 'webhook-signature', 'x-vidocu-signature', 'x-videoconduit-signature'];

export function declare(command: Command): void {
  command
    .option('-p, --port <port>', 'where to listen', wholeNumber(0, 65_535), 4_100)
    .option('--host <address>', 'of this machine, to listen at', '127.0.0.1')
    .option('--forward <url>', 'pass what is signed well on to your own receiver, whose status is the answer')
    .option('--jsonl', 'print JSON, a delivery a line')
    .addHelpText(
      'after',
      `
The signing secret (whsec_…) is taken from LONGHAUL_WEBHOOK_SECRET, or asked for, or read from standard input; the mutation
rotateWebhookSecret makes one. Well signed deliveries are printed and answered with 204, others with 401. A server that runs on this
machine needs OUTBOUND_ALLOW=127.0.0.1 to reach it.`,
    )
    .action(listen);
}

/** A receiver of webhooks for whoever tries them out. Runs until Ctrl-C. */
async function listen({ port, host, forward, jsonl }: Options): Promise<void> {
  const to = forward === undefined ? null : readForward(forward);
  const webhook = webhookOf(process.env['LONGHAUL_WEBHOOK_SECRET'] || (await askSecret('Signing secret')));
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    const receive = async () => {
      const delivery = await read(request, webhook);
      if (typeof delivery === 'number') return delivery;
      const status = to === null ? 204 : await passOn(delivery, to);
      print(delivery, { status, isRepeated: seen.has(delivery.id) }, jsonl === true);
      seen.add(delivery.id);
      return status;
    };
    // A sender that has left gets no answer.
    receive().then((status) => answer(response, status), () => response.destroy());
  });
  server.listen(port, host);
  await once(server, 'listening').catch((error: Error) => {
    throw new CommandError(`Cannot listen on ${host}:${port}: ${error.message}. Name another --port.`);
  });
  const address = server.address();
  const shownPort = typeof address === 'object' ? address?.port : port;
  process.stderr.write(`Listens. webhookUrl: http://${host.includes(':') ? `[${host}]` : host}:${shownPort}/\n`);
  using interruption = onInterruption();
  await new Promise<void>((resolve) => interruption.signal.addEventListener('abort', () => resolve()));
  server.close();
  server.closeAllConnections();
  process.exitCode = interruption.exitCode;
}

interface Delivery {
  id: string;
  body: string;
  headers: Record<string, string>;
}

/** @returns the status to refuse it with, where it is none, or not signed well */
async function read(request: IncomingMessage, webhook: Webhook): Promise<Delivery | number> {
  if (request.method !== 'POST') return 405;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > mostBytes) return 413;
    parts.push(part);
  }
  const body = Buffer.concat(parts).toString('utf8');
  const headers = Object.fromEntries(forwarded.map((name) => [name, String(request.headers[name] ?? '')]).filter(([, value]) => value !== ''));
  try {
    webhook.verify(body, headers);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    process.stderr.write(`Refused: ${oneLine(error.message)}. The secret may be another than the workspace's, or the clocks differ.\n`);
    return 401;
  }
  return { id: headers['webhook-id'] ?? '', body, headers };
}

/** @returns the status that Longhaul is answered with */
async function passOn({ body, headers }: Delivery, to: string): Promise<number> {
  try {
    const response = await fetch(to, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(answerWithin) });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    process.stderr.write(`${to} gave no answer: ${oneLine(error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error))}\n`);
    return 502;
  }
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, status === 405 ? { allow: 'POST' } : {}).end();
}

function print({ id, body }: Delivery, { status, isRepeated }: { status: number; isRepeated: boolean }, asJson: boolean): void {
  const receivedAt = new Date().toISOString();
  const content: unknown = JSON.parse(body);
  if (asJson) process.stdout.write(`${JSON.stringify({ receivedAt, id, isRepeated, answered: status, body: content })}\n`);
  else process.stdout.write(`${receivedAt} ${oneLine(id)} ${styleText(status < 300 ? 'green' : 'red', String(status), { stream: process.stdout })}${isRepeated ? ' again' : ''} ${oneLine(told(content, body))}\n`);
}

/** What a delivery says in short; those of the REST dialects, which have forms of their own, as they are. */
function told(content: unknown, body: string): string {
  const { type, data } = Object(content);
  if (typeof type !== 'string' || typeof data?.id !== 'string') return body;
  return [type, data.id, data.type, data.error?.message].filter((text) => typeof text === 'string').join(' ');
}

/** As short as a secret of Standard Webhooks may be, in bytes: what is signed with less, such as with nothing, anybody may sign. */
const shortestSecret = 24;

/** @throws UsageError */
function webhookOf(secret: string): Webhook {
  try {
    if (Buffer.from(secret.replace(/^whsec_/, ''), 'base64').length < shortestSecret) throw new RangeError('It is too short.');
    return new Webhook(secret);
  } catch {
    throw new UsageError('That is no signing secret. It looks like whsec_…; the mutation rotateWebhookSecret shows a new one.');
  }
}

/** @throws UsageError */
function readForward(text: string): string {
  const url = httpUrl(text);
  if (url === null) throw new UsageError(`${text} is no URL to forward to. Give one such as http://localhost:3000/hooks`);
  return url.href;
}
