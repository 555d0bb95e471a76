import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, createServer as createTcpServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { createServer as createTlsServer } from 'node:tls';

import { assert, ipV4, property } from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';

import { isAllowedAddress, isAllowedHost, parseOutboundAllow } from '../../src/outbound/addresses.ts';
import { allowedAnswers, isAllowedPeer } from '../../src/outbound/agent.ts';
import { OutboundError } from '../../src/outbound/outbound-error.ts';
import { createOutboundFetch, discard, type OutboundFetch, type OutboundRequestOptions } from '../../src/outbound/fetch.ts';

const nothing = parseOutboundAllow([]);
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  const port = await listen(server);
  cleanups.push(async () => server.closeAllConnections());
  return port;
}

function outbound(...allow: string[]): OutboundFetch {
  const fetch = createOutboundFetch({ allow: parseOutboundAllow(allow) });
  cleanups.push(() => fetch.close());
  return fetch;
}

async function get(fetch: OutboundFetch, url: string, options: Partial<OutboundRequestOptions> = {}): Promise<string> {
  const { body } = await fetch.request(url, { signal: new AbortController().signal, ...options });
  return text(body);
}

/** A server that counts its connections, to show that a refusal happened before any packet was sent. */
async function serveCounting(): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const server = createServer((_, response) => response.end('reached'));
  server.on('connection', () => connections++);
  const port = await listen(server);
  cleanups.push(async () => server.closeAllConnections());
  return { port, connections: () => connections };
}

describe('which addresses may be reached', () => {
  test.each([
    ['private', '10.1.2.3'],
    ['private', '172.16.0.1'],
    ['private', '192.168.1.1'],
    ['loopback', '127.0.0.1'],
    ['unspecified', '0.0.0.0'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['metadata', '169.254.169.254'],
    ['Azure metadata', '168.63.129.16'],
    ['Oracle metadata', '192.0.0.192'],
    ['benchmarking', '198.18.0.1'],
    ['multicast', '224.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['IPv6 loopback', '::1'],
    ['IPv6 unspecified', '::'],
    ['IPv6 unique local', 'fd00:ec2::254'],
    ['IPv6 link-local', 'fe80::1'],
    ['IPv6 link-local with a zone', 'fe80::1%eth0'],
    ['IPv4-mapped private', '::ffff:10.0.0.1'],
    ['IPv4-mapped in hex', '::ffff:7f00:1'],
    ['IPv4-compatible', '::7f00:1'],
    ['IPv4-compatible public', '::808:808'],
    ['NAT64', '64:ff9b::a00:1'],
    ['local NAT64', '64:ff9b:1::a00:1'],
    ['6to4', '2002:a00:1::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['documentation', '2001:db8::1'],
    ['not given out', '4000::1'],
    ['no address at all', 'localhost'],
  ])('a %s address is refused: %s', (_, address) => {
    expect(isAllowedAddress(address, nothing)).toBe(false);
  });

  test.each(['8.8.8.8', '::ffff:8.8.8.8', '2606:4700::1111', '172.15.0.1'])('a public address is reached: %s', (address) => {
    expect(isAllowedAddress(address, nothing)).toBe(true);
  });

  test('an allowed address and range are reached, their neighbours are not', () => {
    const allow = parseOutboundAllow(['10.1.2.3', '192.168.0.0/24', 'fd00:1::/32']);
    expect(['10.1.2.3', '::ffff:10.1.2.3', '192.168.0.9', 'fd00:1::5'].filter((a) => !isAllowedAddress(a, allow))).toEqual([]);
    expect(['10.1.2.4', '192.168.1.1', 'fd00:2::5', '127.0.0.1'].filter((a) => isAllowedAddress(a, allow))).toEqual([]);
  });

  test('a mapped address is judged as the IPv4 address in it, whichever it is', () => {
    assert(
      property(ipV4(), (address) => {
        expect(isAllowedAddress(`::ffff:${address}`, nothing)).toBe(isAllowedAddress(address, nothing));
      }),
    );
  });

  test('a host name is allowed in any case and in its international form, and no other name with it', () => {
    const allow = parseOutboundAllow([' Media.Internal ', 'bücher.example']);
    expect(isAllowedHost('media.internal', allow)).toBe(true);
    expect(isAllowedHost(new URL('http://BÜCHER.example').hostname, allow)).toBe(true);
    expect(isAllowedHost('evil.media.internal', allow)).toBe(false);
    expect(isAllowedHost('internal', allow)).toBe(false);
  });

  test.each(['', '10.0.0/8', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '127.1', '*.internal', 'a b', 'host:80', 'http://host', '[::1]', 'host/path'])(
    'the entry "%s" of OUTBOUND_ALLOW is refused with advice',
    (entry) => {
      expect(() => parseOutboundAllow([entry])).toThrow(`"${entry}" is not a host name, an IP address or a CIDR range. Write`);
    },
  );

  test('a mapped entry of OUTBOUND_ALLOW is refused, for it would never match', () => {
    expect(() => parseOutboundAllow(['::ffff:10.0.0.0/104'])).toThrow('write the IPv4 address');
  });

  test('of a name with public and private answers, only the public ones are connected to', () => {
    const answers = [
      { address: '10.0.0.1', family: 4 },
      { address: '8.8.8.8', family: 4 },
    ];
    expect(allowedAnswers('mixed.example', answers, nothing)).toEqual([answers[1]]);
    expect(allowedAnswers('mixed.example', answers, parseOutboundAllow(['mixed.example']))).toEqual(answers);
  });

  test('a socket that ended up at a private address is refused, whatever name led there', async () => {
    const { port } = await serveCounting();
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    expect(isAllowedPeer(socket, 'public.example', nothing)).toBe(false);
    expect(isAllowedPeer(socket, 'public.example', parseOutboundAllow(['127.0.0.0/8']))).toBe(true);
    expect(isAllowedPeer(socket, 'localhost', parseOutboundAllow(['localhost']))).toBe(true);
    socket.destroy();
  });
});

describe('fetching', () => {
  test.each(['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]'])(
    'a URL to %s is refused before anything is sent',
    async (host) => {
      const { port, connections } = await serveCounting();
      const { hostname } = new URL(`http://${host}`);
      await expect(get(outbound(), `http://${host}:${port}/secret?token=s3cret`)).rejects.toMatchObject({
        name: 'BlockedAddressError',
        code: 'ADDRESS_REFUSED',
        message: expect.stringContaining(hostname.replaceAll(/[[\]]/g, '')),
      });
      expect(connections()).toBe(0);
    },
  );

  test('a name whose addresses are private is answered like one that does not exist', async () => {
    const { port, connections } = await serveCounting();
    const refusalOf = async (host: string) => {
      const error: unknown = await get(outbound(), `http://${host}:${port}/secret?token=s3cret`).catch((thrown: unknown) => thrown);
      if (!(error instanceof OutboundError)) throw new Error('it was not refused');
      return { name: error.name, code: error.code, message: error.message.replaceAll(host, 'HOST'), cause: error.cause };
    };
    const unknown = await refusalOf('no-such-host.invalid');
    expect(await refusalOf('localhost')).toEqual(unknown);
    expect(unknown).toMatchObject({ code: 'NO_ADDRESS', message: expect.not.stringMatching(/s3cret|ENOTFOUND/) });
    expect(connections()).toBe(0);
  });

  test('a host that is allowed by name is reached although its address is private', async () => {
    const { port } = await serveCounting();
    expect(await get(outbound('localhost'), `http://LOCALHOST:${port}/`)).toBe('reached');
  });

  test('a host that is allowed by name is not reached by its address', async () => {
    const { port } = await serveCounting();
    await expect(get(outbound('localhost'), `http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
  });

  test('a name whose addresses are allowed by a range is reached', async () => {
    const { port } = await serveCounting();
    expect(await get(outbound('127.0.0.0/8'), `http://localhost:${port}/`)).toBe('reached');
  });

  test('a redirect is followed, and the answer says where it came from', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/start') response.writeHead(302, { location: '/end?page=2' }).end('moved');
      else response.end(`${request.method} ${request.url}`);
    });
    const fetch = outbound('localhost');
    const { url, status, body } = await fetch.request(`http://localhost:${port}/start`, { signal: AbortSignal.any([]) });
    expect({ url, status, body: await text(body) }).toEqual({
      url: `http://localhost:${port}/end?page=2`,
      status: 200,
      body: 'GET /end?page=2',
    });
  });

  test('the body of a redirect is not read, and its connection not left open', async () => {
    const closed = Promise.withResolvers<void>();
    const port = await serve((request, response) => {
      if (request.url === '/end') {
        response.end('arrived');
        return;
      }
      request.socket.on('close', () => closed.resolve());
      response.writeHead(302, { location: '/end' }).write('endless');
    });
    expect(await get(outbound('localhost'), `http://localhost:${port}/`)).toBe('arrived');
    await closed.promise;
  });

  test('a redirect to a private address is refused before anything is sent there', async () => {
    const inner = await serveCounting();
    const port = await serve((_, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${inner.port}/metadata` }).end();
    });
    await expect(get(outbound('localhost'), `http://localhost:${port}/`)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
    expect(inner.connections()).toBe(0);
  });

  test.each(['file:///etc/passwd', 'ftp://localhost/', 'http://user:pw@localhost/'])('a redirect to %s is refused', async (location) => {
    const port = await serve((_, response) => response.writeHead(301, { location }).end());
    await expect(get(outbound('localhost'), `http://localhost:${port}/`)).rejects.toMatchObject({ code: 'BAD_URL' });
  });

  test('as many redirects as allowed are followed, one more is refused', async () => {
    const port = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('arrived');
      else response.writeHead(308, { location: `/${left - 1}` }).end();
    });
    const fetch = outbound('localhost');
    expect(await get(fetch, `http://localhost:${port}/5`)).toBe('arrived');
    await expect(get(fetch, `http://localhost:${port}/6`)).rejects.toMatchObject({ code: 'TOO_MANY_REDIRECTS' });
    await expect(get(fetch, `http://localhost:${port}/1`, { maxRedirects: 0 })).rejects.toMatchObject({ code: 'TOO_MANY_REDIRECTS' });
  });

  test('a redirect without a location is an answer like any other', async () => {
    const port = await serve((_, response) => response.writeHead(302).end('nowhere'));
    expect(await get(outbound('localhost'), `http://localhost:${port}/`)).toBe('nowhere');
  });

  test.each(['not a url', '/path', 'file:///etc/passwd', 'data:text/plain,hi', 'https://'])('%s is no URL to fetch', async (url) => {
    await expect(get(outbound(), url)).rejects.toMatchObject({ code: 'BAD_URL', message: expect.stringContaining('https://') });
  });

  test('credentials in a URL are refused and not repeated', async () => {
    const refused = get(outbound(), 'https://alice:s3cret@files.example/');
    await expect(refused).rejects.toMatchObject({ code: 'BAD_URL' });
    await expect(refused).rejects.not.toThrow(/s3cret|alice/);
  });

  test('a host where nobody listens is unreachable, and the message has no path or query', async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    await once(server, 'close');
    const refused = get(outbound('localhost'), `http://localhost:${port}/path?token=s3cret`);
    await expect(refused).rejects.toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining(`localhost:${port}`) });
    await expect(refused).rejects.toThrow(/ECONNREFUSED/);
    await expect(refused).rejects.not.toThrow(/s3cret|path/);
  });

  test('a name that does not exist is unreachable', async () => {
    await expect(get(outbound(), 'http://nothing.invalid/')).rejects.toMatchObject({ code: 'NO_ADDRESS' });
  });

  test('a connection that is cut before the answer is unreachable', async () => {
    const port = await serve((request) => request.socket.destroy());
    await expect(get(outbound('localhost'), `http://localhost:${port}/`)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  test('a server that never answers is a timeout', async () => {
    const port = await serve(() => {});
    const silent = get(outbound('localhost'), `http://localhost:${port}/`, { headersTimeoutMs: 20 });
    await expect(silent).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  test('a body that falls silent ends with an error', async () => {
    const port = await serve((_, response) => response.write('half'));
    const silent = get(outbound('localhost'), `http://localhost:${port}/`, { bodyTimeoutMs: 20 });
    await expect(silent).rejects.toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT' });
  });

  test('HEAD asks for headers only', async () => {
    const port = await serve((request, response) => response.setHeader('x-method', request.method ?? '').end());
    const { headers, body } = await outbound('localhost').request(`http://localhost:${port}/`, {
      signal: AbortSignal.any([]),
      method: 'HEAD',
    });
    expect(headers['x-method']).toBe('HEAD');
    expect(await text(body)).toBe('');
  });

  test('TLS asks for the certificate of the name in the URL, and for HTTP/1.1 alone', async () => {
    const asked = Promise.withResolvers<unknown>();
    const server = createTlsServer({
      ALPNCallback: (hello) => {
        asked.resolve(hello);
        return undefined;
      },
    });
    const port = await listen(server);
    await expect(get(outbound('localhost'), `https://localhost:${port}/`)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(await asked.promise).toEqual({ servername: 'localhost', protocols: ['http/1.1'] });
  });
});

describe('aborting', () => {
  test('a request that waits for its answer is destroyed at once', async () => {
    const controller = new AbortController();
    const closed = Promise.withResolvers<void>();
    const port = await serve((request) => {
      request.socket.on('close', () => closed.resolve());
      controller.abort(new Error('cancelled'));
    });
    const aborted = get(outbound('localhost'), `http://localhost:${port}/`, { signal: controller.signal });
    await expect(aborted).rejects.toThrow('cancelled');
    await closed.promise;
  });

  test('a request that is still connecting is given up at once', async () => {
    const controller = new AbortController();
    // Takes the connection and never says a word of TLS.
    const server = createTcpServer((socket) => {
      cleanups.push(async () => socket.destroy());
      controller.abort(new Error('cancelled'));
    });
    const port = await listen(server);
    const aborted = get(outbound('localhost'), `https://localhost:${port}/`, { signal: controller.signal });
    await expect(aborted).rejects.toThrow('cancelled');
  });

  test('a body that is being read is destroyed at once', async () => {
    const controller = new AbortController();
    const closed = Promise.withResolvers<void>();
    const port = await serve((request, response) => {
      request.socket.on('close', () => closed.resolve());
      response.write('half');
    });
    const { body } = await outbound('localhost').request(`http://localhost:${port}/`, { signal: controller.signal });
    await once(body, 'readable');
    controller.abort(new Error('cancelled'));
    await expect(text(body)).rejects.toThrow('cancelled');
    await closed.promise;
  });

  test('an aborted signal sends nothing', async () => {
    const { port, connections } = await serveCounting();
    const aborted = get(outbound('localhost'), `http://localhost:${port}/`, { signal: AbortSignal.abort(new Error('cancelled')) });
    await expect(aborted).rejects.toThrow('cancelled');
    expect(connections()).toBe(0);
  });

  test('a body that nobody wants is discarded with its connection, also twice', async () => {
    const closed = Promise.withResolvers<void>();
    const port = await serve((request, response) => {
      request.socket.on('close', () => closed.resolve());
      response.write('endless');
    });
    const { body } = await outbound('localhost').request(`http://localhost:${port}/`, { signal: AbortSignal.any([]) });
    discard(body);
    discard(body);
    await closed.promise;
    expect(body.destroyed).toBe(true);
  });

  test('closing rejects what is under way, and may be done twice', async () => {
    const arrived = Promise.withResolvers<void>();
    const port = await serve(() => arrived.resolve());
    const fetch = outbound('localhost');
    const waiting = expect(get(fetch, `http://localhost:${port}/`)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await arrived.promise;
    await fetch.close();
    await fetch.close();
    await waiting;
    await expect(get(fetch, `http://localhost:${port}/`)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});
