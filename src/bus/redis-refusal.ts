import type { RedisAccess } from './redis-url.ts';

/** Whether Redis answered with a no; any other error says that the connection is gone. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether a node of a cluster says that another one serves the channel. */
export function isMoved(error: unknown): boolean {
  return isRefusal(error) && error.message.startsWith('MOVED ');
}

/** For the logs, which tell each reason once: of MOVED without the slot, or there would be thousands. */
export function refusalReason(error: Error): string {
  return isMoved(error) ? 'MOVED' : error.message;
}

/** What to do about a command that Redis refuses. */
export function refusalAdvice(error: Error, prefix: string): string {
  if (isMoved(error)) return 'It is a cluster whose nodes do not agree yet; trying again.';
  if (error.message.startsWith('CLUSTERDOWN ')) return 'Its cluster is down: bring the nodes of all slots back.';
  return `Allow its user the channels (ACL: &${prefix}*).`;
}

/** Whether the other side ended a connection without a word. */
export function isCut(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** What to do about a connection that does not come about. */
export function connectionAdvice(error: unknown, { tls }: RedisAccess): string {
  if (!(error instanceof Error)) return unreachable;
  if (/^(WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message)) {
    return 'Redis refuses the user or the password. Check those of REDIS_URL, percent-encoded where special.';
  }
  if ('code' in error && certificateCodes.test(String(error.code))) {
    return 'The certificate of Redis is not trusted. Name the file of its CA in NODE_EXTRA_CA_CERTS; it has to be for the host of REDIS_URL.';
  }
  // A Redis without TLS waits for the rest of what it takes for a command.
  if (tls && 'code' in error && /^(ERR_SSL_|EPROTO$|ETIMEDOUT$)/.test(String(error.code))) {
    return `Redis does not answer in TLS. Check that it runs. ${tlsAdvice}`;
  }
  return unreachable;
}

const tlsAdvice = 'Write rediss:// in REDIS_URL where Redis speaks TLS on that port, and redis:// where it does not.';

const unreachable = 'Redis cannot be reached. Check that it runs and that REDIS_URL is right.';

/** What to do about a connection that comes about, and is not answered on, or closed. */
export const greetingAdvice = `Redis takes the connection and does not greet. Check that it is not frozen. ${tlsAdvice}`;

/** As OpenSSL and Node name what they hold against a certificate. */
const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|CA_SIGNED/;
