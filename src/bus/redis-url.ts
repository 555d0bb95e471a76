/** The contents of REDIS_URL: where Redis is and how to log in. */
interface RedisTarget {
  /** Whether the servers form a cluster. */
  cluster: boolean;
  /** The server, or some nodes of a cluster, from which the others are discovered. Never empty. */
  addresses: readonly RedisAddress[];
  access: RedisAccess;
}

export interface RedisAddress {
  /** A host name or an IP address; IPv6 without brackets. */
  host: string;
  port: number;
}

/** How to log in. Applies to all nodes of a cluster. */
export interface RedisAccess {
  tls: boolean;
  /** Undefined means the user `default`. */
  username: string | undefined;
  password: string | undefined;
  protocol: 2 | 3;
  /** IP version; 0 means either. */
  family: 0 | 4 | 6;
}

/** The expected form, for error messages. */
export const redisUrlForm =
  'redis://user:password@host:6379 (rediss:// for TLS; redis+cluster:// or rediss+cluster:// and ' +
  'host:6379,host2:6379 for a cluster), with the special characters of the password percent-encoded';

const defaultPort = 6379;
const form = /^(redis|rediss)(\+cluster)?:\/\/([^/?#]*@)?([^/?#@]+)(?:\/\d*)?(?:\?([^#]*))?$/i;

/**
 * Parses a REDIS_URL; undefined if it is invalid. A database number is accepted but ignored: all databases of a Redis share
 * their channels, and the user may not be allowed SELECT.
 */
export function parseRedisUrl(text: string): RedisTarget | undefined {
  const [, scheme = '', cluster, credentials = '', hosts = '', query = ''] = form.exec(text.trim()) ?? [];
  const names = hosts.split(',');
  // Parse one host at a time, because the URL parser does not accept a list of hosts.
  const urls = names.flatMap((name) => URL.parse(`redis://${credentials}${name}`) ?? []);
  const [first] = urls;
  const access = first && readAccess(first, new URLSearchParams(query));
  if (!access || urls.length < names.length || (names.length > 1 && !cluster)) return undefined;
  if (urls.some(({ hostname }) => hostname === '')) return undefined;
  return {
    cluster: cluster !== undefined,
    addresses: urls.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port) || defaultPort,
    })),
    access: { ...access, tls: scheme.toLowerCase() === 'rediss' },
  };
}

function readAccess(url: URL, parameters: URLSearchParams): Omit<RedisAccess, 'tls'> | undefined {
  const { protocol = '3', family = '0', ...unknown } = Object.fromEntries(parameters);
  // Reject unknown parameters: someone who writes `tls=true`, for example, would believe that it works.
  if (Object.keys(unknown).length > 0) return undefined;
  const knownProtocol = ([2, 3] as const).find((version) => String(version) === protocol);
  const knownFamily = ([0, 4, 6] as const).find((version) => String(version) === family);
  if (knownProtocol === undefined || knownFamily === undefined) return undefined;
  try {
    return {
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      protocol: knownProtocol,
      family: knownFamily,
    };
  } catch {
    return undefined;
  }
}
