import type { Log } from '../log.ts';
import type { RedisAccess } from './redis-url.ts';

/** Whether Redis replied with an error. Any other error means that there was no reply. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether the other side closed the connection without a reply. */
export function isCut(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

const tlsAdvice = 'Use rediss:// in REDIS_URL if Redis speaks TLS on that port, and redis:// if it does not.';
const unreachable = 'Redis cannot be reached. Check that it is running and that REDIS_URL is right.';

/** Advice for when a connection is accepted, but then closed or never answered. */
export const greetingAdvice = `Redis accepts the connection but does not answer. Check that it is not frozen. ${tlsAdvice}`;

/** Error codes with which OpenSSL and Node reject a certificate. */
const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|CA_SIGNED/;

/** Advice for when a connection fails. */
export function connectionAdvice(error: unknown, { tls }: RedisAccess): string {
  if (!(error instanceof Error)) return unreachable;
  if (/^(WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message)) {
    return 'Redis refuses the user or the password. Check both in REDIS_URL, and percent-encode special characters.';
  }
  const code = 'code' in error ? String(error.code) : '';
  if (certificateCodes.test(code)) {
    return 'The certificate of Redis is not trusted. Set NODE_EXTRA_CA_CERTS to the file of its CA, and check that the certificate is for the host in REDIS_URL.';
  }
  // A Redis without TLS takes the TLS handshake for the start of a command, and waits for the rest.
  if (tls && /^(ERR_SSL_|EPROTO$|ETIMEDOUT$)/.test(code)) {
    return `Redis does not answer with TLS. Check that it is running. ${tlsAdvice}`;
  }
  return unreachable;
}

/** Advice for when Redis does not list the nodes of its cluster. */
export function clusterAdvice(error: Error, access: RedisAccess): string {
  if (error.message.startsWith('NOPERM ')) return 'Redis refuses CLUSTER SLOTS. Allow its user the command (ACL: +cluster|slots).';
  if (error.message.startsWith('ERR ')) return 'Redis does not list the nodes of a cluster. If it is not a cluster, use redis:// or rediss:// in REDIS_URL.';
  return connectionAdvice(error, access);
}

/** Logs warnings about one connection, each reason once. */
interface RedisComplaints {
  tell(error: unknown, advice: string): void;
  /** Call it when the connection works again, so that later warnings are logged anew. */
  forget(): void;
}

export function createComplaints(log: Log, { password }: RedisAccess, describe: () => object): RedisComplaints {
  const told = new Set<string>();
  return {
    tell(error, advice) {
      const text = textOf(error);
      // A Redis or proxy that does not know HELLO echoes the command, which contains the password.
      const reason = password === undefined ? text : text.replaceAll(password, '[redacted]');
      if (told.has(reason)) return;
      told.add(reason);
      log.warn({ ...describe(), reason }, advice);
    },
    forget: () => told.clear(),
  };
}

/** Only the message: ioredis attaches the command to the error, and HELLO contains the password. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message) return error.message;
  // The AggregateError for a host with several addresses has no message.
  return 'code' in error ? String(error.code) : error.name;
}
