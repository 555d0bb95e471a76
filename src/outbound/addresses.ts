import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** Private hosts and networks that may be reached all the same. parseOutboundAllow makes it. */
export interface OutboundAllow {
  /** In lower case and in ASCII (Punycode), as in `URL.hostname`. */
  hosts: ReadonlySet<string>;
  networks: readonly Network[];
}

/** The only range that IANA has allocated for global unicast. Excludes `::/96`, which ipaddr.js considers public. */
const globalUnicast: [ipaddr.IPv6, number] = ipaddr.IPv6.parseCIDR('2000::/3');

/** Azure's metadata and control endpoint, the only such endpoint with a public address. */
const azureWireServer = '168.63.129.16';

const hostPattern = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/;

/**
 * Parses the entries of OUTBOUND_ALLOW: host names (exact, case-insensitive), IP addresses and CIDR ranges.
 *
 * @throws Error that names the first entry it cannot parse.
 */
export function parseOutboundAllow(entries: readonly string[]): OutboundAllow {
  const hosts = new Set<string>();
  const networks: Network[] = [];
  for (const entry of entries) {
    const network = parseNetwork(entry.trim());
    if (network === null) hosts.add(parseHost(entry.trim()));
    else networks.push(network);
  }
  return { hosts, networks };
}

/** Whether a host name (as in `URL.hostname`) may be reached whatever its addresses are. */
export function isAllowedHost(hostname: string, allow: OutboundAllow): boolean {
  return allow.hosts.has(hostname);
}

/** Whether an address may be reached: it is public, or allowed by itself or by a range. */
export function isAllowedAddress(text: string, allow: OutboundAllow): boolean {
  if (isIP(text) === 0) return false;
  // An IPv4-mapped IPv6 address reaches the IPv4 address, so it is checked as IPv4.
  const address = ipaddr.process(text);
  return isPublic(address) || allow.networks.some((network) => contains(network, address));
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  if (address instanceof ipaddr.IPv6) return address.match(globalUnicast);
  return address.toString() !== azureWireServer;
}

function contains([base, bits]: Network, address: Address): boolean {
  return base.kind() === address.kind() && address.match(base, bits);
}

/** Returns null if the entry looks like a host name. */
function parseNetwork(entry: string): Network | null {
  const [text = '', prefix, ...rest] = entry.split('/');
  const family = isIP(text);
  if (family === 0) {
    if (prefix !== undefined) throw unreadable(entry);
    return null;
  }
  const width = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? width : Number(prefix);
  if (rest.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) || bits > width) throw unreadable(entry);
  const address = ipaddr.parse(text);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) {
    throw new Error(`write the IPv4 address of "${entry}" without ::ffff: in front.`);
  }
  return [address, bits];
}

function parseHost(entry: string): string {
  // domainToASCII cuts at "/", "?" and "#", and reads "127.1" as an address. The operator meant neither.
  const host = /^[\p{L}\p{M}\p{N}._-]+$/u.test(entry) ? domainToASCII(entry) : '';
  if (isIP(host) !== 0 || !hostPattern.test(host)) throw unreadable(entry);
  return host;
}

function unreadable(entry: string): Error {
  return new Error(
    `"${entry}" is not a host name, an IP address or a CIDR range. ` +
      'Write entries such as media.internal, 10.1.2.3 or 10.0.0.0/8, without scheme, port or wildcard.',
  );
}
