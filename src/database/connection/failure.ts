import pg from 'pg';
import { ConninfoError } from './conninfo.ts';
import { MissingPassword } from './database-url.ts';
import type { Host } from './host.ts';
import { UnfitServer } from './session.ts';

/** No way leads to a server that can be used now; says why of each. */
export class Unreachable extends Error {
  /** The SQLSTATE for it: MikroORM's own errors keep it, and not the class. */
  readonly code = '08001';
}

/**
 * Classifies a failed connection. `address`: nobody answered there. `tls`: client and server could not agree on encryption.
 * `server`: this server cannot be used, but another may. `login`: the server refused the login.
 */
export function failureKind(error: unknown): 'address' | 'tls' | 'server' | 'login' {
  if (error instanceof UnfitServer) return 'server';
  // 57P03: starting, stopping, or a standby that accepts no connections.
  if (error instanceof pg.DatabaseError) return error.code === '57P03' ? 'server' : 'login';
  if (error instanceof AggregateError || ['connect', 'getaddrinfo'].includes(property(error, 'syscall'))) return 'address';
  if (messageOf(error).includes('timeout')) return 'address';
  if (error instanceof ConninfoError || error instanceof MissingPassword) return 'login';
  return messageOf(error).startsWith('SASL') ? 'login' : 'tls';
}

/** Says what failed, in the words of the error, and what to do. Contains no password. */
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
  [/^08P01$/, 'If a pooler refuses a parameter, configure it to ignore that parameter, or remove it from DATABASE_URL.'],
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

/** If a name has several addresses, Node throws an AggregateError with an empty message and one error per address. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

function property(error: unknown, name: string): string {
  const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined;
  return typeof value === 'string' ? value : '';
}
