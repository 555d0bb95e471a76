import type { Log } from '../log.ts';
import type { RedisAccess } from './redis-url.ts';

/** Whether Redis answered with an error; with any other error there was no answer. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether the other side ended the connection without a word. */
export function isCut(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

const tlsAdvice = 'Write rediss:// in REDIS_URL where Redis speaks TLS on that port, and redis:// where it does not.';
const unreachable = 'Redis cannot be reached. Check that it runs and that REDIS_URL is right.';

/** What to do when a connection is accepted, and then closed or never answered. */
export const greetingAdvice = `Redis takes the connection and does not greet. Check that it is not frozen. ${tlsAdvice}`;

/** The codes by which OpenSSL and Node reject a certificate. */
const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|CA_SIGNED/;

/** What to do when a connection cannot be made. */
export function connectionAdvice(error: unknown, { tls }: RedisAccess): string {
  if (!(error instanceof Error)) return unreachable;
  if (/^(WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message)) {
    return 'Redis refuses the user or the password. Check those of REDIS_URL, percent-encoded where special.';
  }
  const code = 'code' in error ? String(error.code) : '';
  if (certificateCodes.test(code)) {
    return 'The certificate of Redis is not trusted. Name the file of its CA in NODE_EXTRA_CA_CERTS; it has to be for the host of REDIS_URL.';
  }
  // A Redis without TLS reads the TLS greeting as the start of a command, and waits for its end.
  if (tls && /^(ERR_SSL_|EPROTO$|ETIMEDOUT$)/.test(code)) {
    return `Redis does not answer in TLS. Check that it runs. ${tlsAdvice}`;
  }
  return unreachable;
}

/** What to do when Redis does not list the nodes of its cluster. */
export function clusterAdvice(error: Error, access: RedisAccess): string {
  if (error.message.startsWith('NOPERM ')) return 'Redis refuses CLUSTER. Allow its user the command (ACL: +cluster|slots).';
  if (error.message.startsWith('ERR ')) return 'Redis does not list the nodes of a cluster. Write redis:// or rediss:// in REDIS_URL if it is not one.';
  return connectionAdvice(error, access);
}

/** Warnings about one connection, each reason once. */
export interface RedisComplaints {
  tell(error: unknown, advice: string): void;
  /** To be called when all is well: what goes wrong later is told again. */
  forget(): void;
}

export function createComplaints(log: Log, { password }: RedisAccess, describe: () => object): RedisComplaints {
  const told = new Set<string>();
  return {
    tell(error, advice) {
      const text = textOf(error);
      // A Redis or a proxy that does not know HELLO repeats it, and it holds the password.
      const reason = password === undefined ? text : text.replaceAll(password, '[redacted]');
      if (told.has(reason)) return;
      told.add(reason);
      log.warn({ ...describe(), reason }, advice);
    },
    forget: () => told.clear(),
  };
}

/** Its text alone: ioredis puts the command on an error, and HELLO holds the password. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message) return error.message;
  // The error for a host with several addresses has no text of its own.
  return 'code' in error ? String(error.code) : error.name;
}
