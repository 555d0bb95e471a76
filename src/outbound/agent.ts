import { lookup as resolve, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { Agent, buildConnector, Client } from 'undici';

import { isAllowedAddress, isAllowedHost, type OutboundAllow } from './addresses.ts';
import { WithoutContinue } from './interim.ts';
import { BlockedAddressError, codeOf, NoPublicAddressError } from './outbound-error.ts';

/** In milliseconds. */
export const outboundTimeouts = { connect: 10_000, headers: 30_000, bodyIdle: 60_000 } as const;

/**
 * Creates the agent for webhooks. It connects to public addresses and to what `allow` names. It rejects any other
 * request with BlockedAddressError before it sends a packet. It does not follow redirects. Close it with `destroy()`,
 * which may be called twice.
 */
export function createOutboundAgent(allow: OutboundAllow): Agent {
  return new Agent({ ...timeouts, allowH2: false, connect: createConnector(allow) });
}

/** The connection of one download. */
interface OutboundConnection {
  client: Client;
  /** Whether the peer reset it. undici treats a reset as the end of a body that has no declared length. */
  wasReset(): boolean;
}

/** Connects to `origin` under the same rules as createOutboundAgent. Close it with `client.destroy()`. */
export function openConnection(origin: string, allow: OutboundAllow): OutboundConnection {
  const connector = createConnector(allow);
  let socket: Socket | null = null;
  const connect: buildConnector.connector = (options, callback) => {
    connector(options, (...result) => {
      socket = result[1];
      callback(...result);
    });
  };
  const client = new Client(origin, { ...timeouts, allowH2: false, connect });
  return { client, wasReset: () => codeOf(socket?.errored) === 'ECONNRESET' };
}

const timeouts = { headersTimeout: outboundTimeouts.headers, bodyTimeout: outboundTimeouts.bodyIdle };

function createConnector(allow: OutboundAllow): buildConnector.connector {
  const connect = buildConnector({
    timeout: outboundTimeouts.connect,
    allowH2: false,
    lookup: createFilteringLookup(allow),
  });
  return (options, callback) => {
    const { hostname } = options;
    // net.connect does not call the lookup for an IP literal.
    if (isIP(hostname) !== 0 && !isAllowedAddress(hostname, allow)) {
      process.nextTick(callback, new BlockedAddressError(hostname), null);
      return;
    }
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null) {
        callback(...result);
        return;
      }
      if (isAllowedPeer(socket, hostname, allow)) {
        // undici takes any Duplex, although its types do not say so.
        callback(null, new WithoutContinue(socket) as Duplex as Socket);
        return;
      }
      socket.destroy();
      callback(new BlockedAddressError(hostname), null);
    });
  };
}

/**
 * Whether a connected socket reached an allowed address. This is the final check, whatever happened between lookup and
 * connection. Requests that reuse the connection rely on it.
 */
export function isAllowedPeer(socket: Socket, hostname: string, allow: OutboundAllow): boolean {
  if (isAllowedHost(hostname, allow)) return true;
  // No address means that the peer has already hung up. undici detects that by itself.
  return socket.remoteAddress === undefined || isAllowedAddress(socket.remoteAddress, allow);
}

/**
 * The socket connects only to the answers that were checked, so DNS rebinding (a second, different answer) gains
 * nothing.
 */
function createFilteringLookup(allow: OutboundAllow): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, answers) => {
      if (error !== null) {
        callback(unknownName.has(error.code) ? new NoPublicAddressError(hostname) : error, '', 0);
        return;
      }
      const allowed = allowedAnswers(hostname, answers, allow);
      const [first] = allowed;
      if (first === undefined) callback(new NoPublicAddressError(hostname), '', 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

/** What the resolver says of a name that has no address. */
const unknownName: ReadonlySet<string | undefined> = new Set(['ENOTFOUND', 'ENODATA']);

/** The addresses among a name's DNS answers that we may connect to. */
export function allowedAnswers(hostname: string, answers: LookupAddress[], allow: OutboundAllow): LookupAddress[] {
  if (isAllowedHost(hostname, allow)) return answers;
  return answers.filter(({ address }) => isAllowedAddress(address, allow));
}
