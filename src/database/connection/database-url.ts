import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { type Conninfo, ConninfoError, parseConninfo } from './conninfo.ts';
import { addDefaults } from './defaults.ts';
import type { Host } from './host.ts';
import { keywords } from './keywords.ts';
import { parseOptions } from './options.ts';
import { findPassword } from './passfile.ts';
import { type SslMode, sslModes, tlsSettings } from './tls.ts';

/**
 * Everything that this process needs to connect, as read from DATABASE_URL. Secrets are behind functions, so that printing or
 * logging this object shows none.
 */
export interface Server {
  /** Tried in this order. */
  hosts: readonly Host[];
  /** Whether each search tries the hosts in a new random order. */
  shuffled: boolean;
  user: string;
  database: string;
  /** The application_name that the operator chose; null lets each connection choose its own. */
  applicationName: string | null;
  /** Session parameters that the operator chose. */
  parameters: ReadonlyMap<string, string>;
  /** The part of `options` that must be in the start-up packet. */
  startupOptions: string | null;
  /** Which of several servers to use (libpq's target_session_attrs). */
  sessionAttributes: 'any' | 'read-write' | 'primary';
  /** Limit for one connection attempt, and for waiting for a free connection; 0 means no limit. */
  connectMilliseconds: number;
  /** Null turns TCP keepalive off. */
  keepAliveSeconds: number | null;
  /** Whether to use SCRAM-SHA-256-PLUS if the server offers it. */
  channelBinding: boolean;
  sslNegotiation: 'postgres' | 'direct';
  sslMode: SslMode;
  sendsServerName: boolean;
  /** Called only if the server asks for a password. @throws Error if there is none */
  password(host: Host): Promise<string>;
  /** TLS options for this host. Reads the files each time, because certificates may be renewed while the process runs. */
  tls(host: Host): ConnectionOptions;
}

export class MissingPassword extends Error {}

const defaultConnectSeconds = '10';
const socketFolders = ['/var/run/postgresql', '/tmp'];

/** Keywords that we cannot support: the values that change nothing, and what to do instead of any other. */
const onlyHarmless: Record<string, { harmless: RegExp; instead: string }> = {
  sslcompression: { harmless: /^0$/, instead: 'TLS does not compress; remove it' },
  sslcrldir: { harmless: /^$/, instead: 'name one file of revoked certificates in sslcrl' },
  sslkeylogfile: { harmless: /^$/, instead: 'remove it' },
  requirepeer: { harmless: /^$/, instead: 'the owner of a socket cannot be seen from here; remove it' },
  replication: { harmless: /^(?:0|off|no|false)$/i, instead: 'remove it' },
  gssencmode: { harmless: /^(?:disable|prefer)$/, instead: 'GSSAPI is not supported; use sslmode=verify-full' },
  krbsrvname: { harmless: /^$/, instead: 'GSSAPI is not supported; remove it' },
  gsslib: { harmless: /^$/, instead: 'GSSAPI is not supported; remove it' },
  gssdelegation: { harmless: /^0$/, instead: 'GSSAPI is not supported; remove it' },
  require_auth: { harmless: /^$/, instead: 'the method cannot be restricted from here; use sslmode=verify-full, and restrict it in pg_hba.conf' },
  channel_binding: { harmless: /^(?:disable|prefer)$/, instead: 'it is used wherever the server offers it but cannot be insisted on; use channel_binding=prefer with sslmode=verify-full' },
  keepalives_interval: { harmless: /^0$/, instead: 'use keepalives_idle, or net.ipv4.tcp_keepalive_intvl of the system' },
  keepalives_count: { harmless: /^0$/, instead: 'use keepalives_idle, or net.ipv4.tcp_keepalive_probes of the system' },
  tcp_user_timeout: { harmless: /^0$/, instead: 'use keepalives_idle' },
  client_encoding: { harmless: /^(?:auto|utf-?8|unicode)$/i, instead: 'texts are UTF8; remove it' },
  min_protocol_version: { harmless: /^3\.0$/, instead: 'the protocol spoken is 3.0; remove it' },
  max_protocol_version: { harmless: /^(?:3\.0|3\.2|latest)$/, instead: 'use latest' },
  sslcertmode: { harmless: /^(?:disable|allow)$/, instead: 'use allow, and let pg_hba.conf insist on the certificate' },
  scram_client_key: { harmless: /^$/, instead: 'use password' },
  scram_server_key: { harmless: /^$/, instead: 'use password' },
  oauth_issuer: { harmless: /^$/, instead: 'OAuth is not supported; use password' },
  oauth_client_id: { harmless: /^$/, instead: 'OAuth is not supported; use password' },
  oauth_client_secret: { harmless: /^$/, instead: 'OAuth is not supported; use password' },
  oauth_scope: { harmless: /^$/, instead: 'OAuth is not supported; use password' },
};

/**
 * Reads a connection string in any form that libpq accepts, with libpq's defaults from the environment.
 *
 * @throws ConninfoError if it is invalid or asks for something that we do not support. The message never contains a secret.
 */
export function readServer(text: string, environment: Readonly<Record<string, string | undefined>>): Server {
  const given = parseConninfo(text);
  try {
    return readFound(addDefaults(given, environment));
  } catch (error) {
    const [keyword = ''] = /^\w+/.exec(error instanceof ConninfoError ? error.message : '') ?? [];
    const variable = keywords.get(keyword);
    if (!(error instanceof ConninfoError) || given.has(keyword) || variable == null || !environment[variable]) throw error;
    throw new ConninfoError(`${error.message} It comes from the environment variable ${variable}.`);
  }
}

function readFound(found: Conninfo): Server {
  refuseWhatCannotBeDone(found);
  const hosts = readHosts(found);
  const user = found.get('user') ?? userInfo().username;
  const database = found.get('dbname') ?? user;
  const options = parseOptions(found.get('options') ?? '');
  const password = found.get('password');
  const passfile = found.get('passfile') ?? join(homedir(), '.pgpass');
  const sslRootCert = found.get('sslrootcert');
  const sslMode = choice(found, 'sslmode', sslModes, sslRootCert === 'system' ? 'verify-full' : 'prefer');
  const sslNegotiation = choice(found, 'sslnegotiation', ['postgres', 'direct'], 'postgres');
  if (sslNegotiation === 'direct' && ['disable', 'allow', 'prefer'].includes(sslMode)) {
    throw new ConninfoError(`sslnegotiation=direct needs TLS: set sslmode to require, verify-ca or verify-full.`);
  }
  const sendsServerName = flag(found, 'sslsni', true);
  const tls = tlsSettings(found, sslMode, sendsServerName);
  if (sslMode === 'verify-full' && found.has('hostaddr') && !found.has('host')) {
    throw new ConninfoError('sslmode=verify-full needs the name that is verified: add host beside hostaddr.');
  }
  const idle = integer(found, 'keepalives_idle', '0', 0);
  const server: Server = {
    hosts,
    shuffled: choice(found, 'load_balance_hosts', ['disable', 'random'], 'disable') === 'random',
    user,
    database,
    applicationName: found.get('application_name') ?? found.get('fallback_application_name') ?? null,
    ...options,
    sessionAttributes: readSessionAttributes(found),
    connectMilliseconds: Math.max(0, integer(found, 'connect_timeout', defaultConnectSeconds, -1)) * 1_000,
    keepAliveSeconds: flag(found, 'keepalives', true) ? idle : null,
    channelBinding: choice(found, 'channel_binding', ['disable', 'prefer'], 'prefer') === 'prefer',
    sslNegotiation,
    sslMode,
    sendsServerName,
    password: async ({ name, port }) => {
      const host = socketFolders.includes(name) ? 'localhost' : name;
      const given = password ?? (await findPassword(passfile, { host, port, database, user }));
      if (given === undefined) throw new MissingPassword('the server asks for a password, and none is given');
      return given;
    },
    tls,
  };
  // Read the TLS files once now, so that a missing or unreadable one is reported before the first connection.
  const overTcp = hosts.find(({ address }) => !isSocket(address));
  if (sslMode !== 'disable' && overTcp !== undefined) server.tls(overTcp);
  return server;
}

/** Whether an address is the folder of a Unix socket, on which TLS is never used. */
export function isSocket(address: string): boolean {
  return address.startsWith('/');
}

function refuseWhatCannotBeDone(found: Conninfo): void {
  for (const [keyword, { harmless, instead }] of Object.entries(onlyHarmless)) {
    const value = found.get(keyword);
    if (value !== undefined && !harmless.test(value)) throw new ConninfoError(`${keyword} cannot be honoured: ${instead}.`);
  }
}

/** Combines the lists of hosts, addresses and ports by libpq's rules for lists of different lengths. */
function readHosts(found: Conninfo): Host[] {
  const list = (keyword: string) => found.get(keyword)?.split(',') ?? [];
  const [names, addresses, ports] = [list('host'), list('hostaddr'), list('port')];
  const count = Math.max(names.length, addresses.length, 1);
  if (names.length > 0 && addresses.length > 0 && names.length !== addresses.length) {
    throw new ConninfoError(`hostaddr has ${addresses.length} entries and host ${names.length}: give one of each for every host.`);
  }
  if (ports.length > 1 && ports.length !== count) {
    throw new ConninfoError(`there are ${ports.length} ports for ${count} hosts: give one port for all, or one for each.`);
  }
  return Array.from({ length: count }, (_, index) => {
    const port = readPort((ports.length > 1 ? ports[index] : ports[0]) || '5432');
    const name = names[index] || addresses[index] || usualSocketFolder(port);
    // Node supports abstract sockets, but pg would take the name for a host.
    if (name.startsWith('@')) throw new ConninfoError('host: sockets in the abstract name space are not supported; name a folder.');
    return { name, address: addresses[index] || name, port };
  });
}

function readPort(text: string): number {
  const port = /^\s*\d{1,5}\s*$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new ConninfoError('port: expected an integer from 1 to 65535; write : / ? # @ and % in a user or password percent-encoded.');
}

/** libpq's default socket folder depends on its build: Debian and its relatives use one, plain Postgres another. */
function usualSocketFolder(port: number): string {
  const [usual = '/tmp'] = socketFolders;
  return socketFolders.find((folder) => existsSync(join(folder, `.s.PGSQL.${port}`))) ?? usual;
}

function readSessionAttributes(found: Conninfo): Server['sessionAttributes'] {
  const value = found.get('target_session_attrs') ?? 'any';
  if (['read-only', 'standby', 'prefer-standby'].includes(value)) {
    throw new ConninfoError(`target_session_attrs=${value} leads to a server that only reads: use read-write or primary.`);
  }
  return choice(found, 'target_session_attrs', ['any', 'read-write', 'primary'], 'any');
}

function choice<const T extends string>(found: Conninfo, keyword: string, options: readonly T[], fallback: T): T {
  const value = found.get(keyword) ?? fallback;
  const option = options.find((each) => each === value);
  if (option === undefined) throw new ConninfoError(`${keyword}: expected one of ${options.join(', ')}.`);
  return option;
}

function flag(found: Conninfo, keyword: string, fallback: boolean): boolean {
  return choice(found, keyword, ['0', '1'], fallback ? '1' : '0') === '1';
}

function integer(found: Conninfo, keyword: string, fallback: string, least: number): number {
  const text = (found.get(keyword) ?? fallback).trim();
  const value = /^-?\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= least) return value;
  throw new ConninfoError(`${keyword}: expected a whole number of seconds.`);
}
