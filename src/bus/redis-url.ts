/** Where Redis is and how to get in, as REDIS_URL says. */
export interface RedisTarget {
  /** Whether the servers are a cluster, in which each serves a part of the topics. */
  cluster: boolean;
  /** The one server; of a cluster some of its nodes, which are asked for the others. Never empty. */
  addresses: readonly RedisAddress[];
  access: RedisAccess;
}

export interface RedisAddress {
  /** A name or an IP address; one of version 6 without its brackets. */
  host: string;
  port: number;
}

/** The same for all nodes of a cluster. */
export interface RedisAccess {
  tls: boolean;
  /** Undefined: the user `default`. */
  username: string | undefined;
  password: string | undefined;
  protocol: 2 | 3;
  /** IP version; 0 takes what the name resolves to. */
  family: 0 | 4 | 6;
}

/** For messages that say what was expected. */
export const redisUrlForm =
  'redis://user:password@host:6379 (rediss:// for TLS; redis+cluster:// or rediss+cluster:// and ' +
  'host:6379,host2:6379 for a cluster), with the special characters of the password percent-encoded';

const defaultPort = 6379;
const form = /^(redis|rediss)(\+cluster)?:\/\/([^/?#]*@)?([^/?#@]+)(?:\/\d*)?(?:\?([^#]*))?$/i;

/**
 * Reads a REDIS_URL; undefined where it cannot be read. A database number is taken and left unused: channels are the
 * same for all databases of a Redis, and a user may lack SELECT.
 */
export function parseRedisUrl(text: string): RedisTarget | undefined {
  const [, scheme = '', cluster, credentials = '', hosts = '', query = ''] = form.exec(text.trim()) ?? [];
  const names = hosts.split(',');
  // One part at a time: a list of hosts is no URL for the parser.
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
  // A parameter that does nothing, `tls=true` for example, would leave its writer in a false belief.
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
