import { once } from 'node:events';
import { type ClientRequest, createServer, type IncomingMessage, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A proxy that cuts each request of an upload, and each answer of a download, after so many bytes. */
export async function cutting(target: string, bytes: number): Promise<{ url: string; cuts(): Record<string, number> }> {
  const cuts: Record<string, number> = {};
  const { url } = await proxy(
    target,
    (incoming, outgoing, cut) => {
      let seen = 0;
      let isCut = false;
      incoming.on('data', (part: Buffer) => {
        const left = bytes - seen;
        seen += part.length;
        if (incoming.method !== 'PATCH' || left >= part.length) return void outgoing.write(part);
        if (isCut) return;
        isCut = true;
        cuts['PATCH'] = (cuts['PATCH'] ?? 0) + 1;
        if (left === 0) cut();
        else outgoing.write(part.subarray(0, left), cut);
      });
      incoming.on('end', () => outgoing.end());
    },
    (incoming, content) => {
      if (incoming.method !== 'GET' || content.length <= bytes) return content;
      cuts['GET'] = (cuts['GET'] ?? 0) + 1;
      return content.subarray(0, bytes);
    },
    false,
  );
  return { url, cuts: () => cuts };
}

/** A proxy that hands on an answer when it has all of it. */
export async function buffering(target: string): Promise<{ url: string }> {
  return proxy(target, (incoming, outgoing) => void incoming.pipe(outgoing), (_incoming, content) => content, true);
}

async function proxy(
  target: string,
  pass: (incoming: IncomingMessage, outgoing: ClientRequest, cut: () => void) => void,
  shorten: (incoming: IncomingMessage, content: Buffer) => Buffer,
  buffers: boolean,
): Promise<{ url: string }> {
  const server = createServer((incoming, response) => {
    const outgoing = httpRequest(new URL(incoming.url ?? '/', target), { method: incoming.method, headers: incoming.headers }, (answer) => {
      if (!buffers && answer.headers['content-type']?.startsWith('text/event-stream') === true) {
        return void answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers));
      }
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        const { 'content-length': _length, 'transfer-encoding': _encoding, ...headers } = answer.headers;
        const whole = Buffer.concat(parts);
        const isText = headers['content-type']?.includes('json') === true;
        // Links lead here, too.
        const content = isText ? Buffer.from(whole.toString().replaceAll(target, url)) : whole;
        const sent = shorten(incoming, content);
        if (incoming.method === 'HEAD') return void response.writeHead(answer.statusCode ?? 502, headers).end();
        response.writeHead(answer.statusCode ?? 502, { ...headers, 'content-length': content.length });
        response.write(sent, () => (sent.length < content.length ? response.destroy() : response.end()));
      });
      answer.on('error', () => response.destroy());
    });
    const cut = () => {
      outgoing.destroy();
      incoming.socket.destroy();
    };
    outgoing.on('error', cut);
    response.on('close', () => outgoing.destroy());
    pass(incoming, outgoing, cut);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url };
}
