import pg from 'pg';
import { ConninfoError } from './conninfo.ts';
import { MissingPassword } from './database-url.ts';
import type { Host } from './host.ts';
import { UnfitServer } from './session.ts';

/**
 * Why a connection could not be made. `address`: nobody answered there. `tls`: the two could not agree on encryption.
 * `server`: this one cannot be used, another may. `login`: the server knows who asks, and refuses.
 */
export function failureKind(error: unknown): 'address' | 'tls' | 'server' | 'login' {
  if (error instanceof UnfitServer) return 'server';
  // Starting, stopping, or a standby that takes no connections.
  if (error instanceof pg.DatabaseError) return error.code === '57P03' ? 'server' : 'login';
  if (error instanceof AggregateError || ['connect', 'getaddrinfo'].includes(property(error, 'syscall'))) return 'address';
  if (messageOf(error).includes('timeout')) return 'address';
  if (error instanceof ConninfoError || error instanceof MissingPassword) return 'login';
  return messageOf(error).startsWith('SASL') ? 'login' : 'tls';
}

/** What is wrong in the words of whoever refused, and what to do, without a password. */
export function describeFailure(error: unknown, { address, port }: Host): string {
  if (error instanceof ConninfoError) return error.message;
  const reason = messageOf(error);
  if (error instanceof UnfitServer) return `${address}:${port}: ${reason}.`;
  const place = reason.includes(`${address}:${port}`) ? '' : ` to ${address}:${port}`;
  return `cannot connect${place} (${reason.trim().replace(/\.$/, '')}). ${advice(error)}`;
}

const adviceByCode: readonly [RegExp, string][] = [
  [/^28/, 'Check the user and the password, and that pg_hba.conf lets them in.'],
  [/^3D000$/, 'Create the database, or name another one.'],
  [/^53300$/, 'Raise max_connections, or lower DATABASE_POOL_SIZE.'],
  [/^57P/, 'Wait until the server has started, and try again.'],
  [/^08P01$/, 'A pooler that refuses a parameter has to be told to ignore it, or DATABASE_URL not to send it.'],
  [/^(ENOTFOUND|EAI_\w+)$/, 'Check the name of the host.'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'Name the host as its certificate does, or use sslmode=verify-ca.'],
  [/^CERT_HAS_EXPIRED$/, "Renew the server's certificate."],
  [/CERT|ISSUER|SELF_SIGNED|SIGNATURE|CRL/, "sslrootcert has to hold the certificate of the CA that signed the server's."],
];

function advice(error: unknown): string {
  const code = property(error, 'code');
  const [, known] = adviceByCode.find(([codes]) => codes.test(code)) ?? [];
  if (known !== undefined) return known;
  const reason = messageOf(error);
  if (reason.includes('does not support SSL')) return 'Turn ssl on in postgresql.conf, or set sslmode=prefer or disable.';
  if (error instanceof MissingPassword || reason.startsWith('SASL')) return 'Set the password in DATABASE_URL, PGPASSWORD or .pgpass.';
  return 'Check the address, and that Postgres runs there.';
}

/** Node tells of each address that a name has apart, and then says nothing itself. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

function property(error: unknown, name: string): string {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined;
  return typeof value === 'string' ? value : '';
}
