import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { parseOutboundAllow } from '../../src/outbound/addresses.ts';
import { createOutboundFetch, type OutboundFetch } from '../../src/outbound/fetch.ts';
import { openRawSource } from '../support/raw-source.ts';

function outbound(): OutboundFetch {
  const fetch = createOutboundFetch({ allow: parseOutboundAllow(['localhost']) });
  onTestFinished(() => fetch.close());
  return fetch;
}

async function get(url: string): Promise<{ url: string; body: string }> {
  const response = await outbound().request(url, { signal: new AbortController().signal });
  return { url: response.url, body: await text(response.body) };
}

/** Asks a source for `/a/start?b=1`, which redirects with these bytes, and gives the path that was asked for next. */
async function followed(location: Buffer): Promise<string> {
  const { origin, asked } = await openRawSource((path, socket) => {
    if (path === '/a/start?b=1') redirect(socket, origin, location);
    else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfilm');
  });
  expect(await get(`${origin}/a/start?b=1`)).toMatchObject({ body: 'film' });
  expect(asked).toHaveLength(2);
  return asked[1] ?? '';
}

/** Where the bytes name the source's port, they say PORT. */
function redirect(socket: Socket, origin: string, location: Buffer): void {
  const bytes = location.toString('latin1').replace('PORT', new URL(origin).port);
  socket.end(`HTTP/1.1 302 Found\r\nLocation: ${bytes}\r\nContent-Length: 0\r\n\r\n`, 'latin1');
}

test.each([
  ['plain UTF-8', Buffer.from('/café.mp4'), '/caf%C3%A9.mp4'],
  ['UTF-8 of four bytes', Buffer.from('/🎬.mp4'), '/%F0%9F%8E%AC.mp4'],
  ['Latin-1', Buffer.from('/café.mp4', 'latin1'), '/caf%E9.mp4'],
  ['bytes of no text at all', Buffer.from([0x2f, 0x80, 0xff, 0xfe]), '/%80%FF%FE'],
  ['escapes', Buffer.from('/caf%C3%A9.mp4'), '/caf%C3%A9.mp4'],
  ['escapes and UTF-8', Buffer.from('/caf%C3%A9/crème.mp4'), '/caf%C3%A9/cr%C3%A8me.mp4'],
  ['a percent sign that escapes nothing', Buffer.from('/100%/é'), '/100%/%C3%A9'],
  ['UTF-8 in the query', Buffer.from('/film?titre=été&x=%20'), '/film?titre=%C3%A9t%C3%A9&x=%20'],
  ['a relative path', Buffer.from('été.mp4'), '/a/%C3%A9t%C3%A9.mp4'],
  ['a relative path upwards', Buffer.from('../été.mp4'), '/%C3%A9t%C3%A9.mp4'],
  ['a query alone', Buffer.from('?é'), '/a/start?%C3%A9'],
  ['a host without a scheme', Buffer.from('//localhost:PORT/é'), '/%C3%A9'],
  ['a whole URL', Buffer.from('http://LOCALHOST:PORT/é'), '/%C3%A9'],
  ['a fragment, which is not sent', Buffer.from('/film#scène'), '/film'],
  ['spaces', Buffer.from(' /mon film.mp4 '), '/mon%20film.mp4'],
  ['backslashes', Buffer.from('\\b\\é'), '/b/%C3%A9'],
])('Location is followed as browsers do: %s', async (_what, location, path) => {
  expect(await followed(location)).toBe(path);
});

test.each([
  ['http://127.0.0.1:PORT/', '127.0.0.1'],
  ['//127。0。0。1:PORT/', '127.0.0.1'],
  ['//１２７.0.0.1:PORT/', '127.0.0.1'],
  ['//[::ffff:127.0.0.1]:PORT/é', '::ffff:7f00:1'],
  ['//%31%32%37.0.0.1:PORT/', '127.0.0.1'],
])('a Location that names a private address in any spelling is refused, and not asked: %s', async (location, address) => {
  const { origin, asked } = await openRawSource((_path, socket) => {
    redirect(socket, origin, Buffer.from(location));
  });
  await expect(get(`${origin}/start`)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED', message: expect.stringContaining(address) });
  expect(asked).toEqual(['/start']);
});

test('an international host name in plain UTF-8 is looked up under its ASCII name', async () => {
  const { origin } = await openRawSource((_path, socket) => {
    redirect(socket, origin, Buffer.from('//bücher.invalid/'));
  });
  await expect(get(origin)).rejects.toMatchObject({ code: 'NO_ADDRESS', message: expect.stringContaining('xn--bcher-kva.invalid') });
});
