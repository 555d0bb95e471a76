import { existsSync, readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  checkServerIdentity,
  type ConnectionOptions,
  createSecureContext,
  getCACertificates,
  type PeerCertificate,
  type SecureVersion,
} from 'node:tls';
import { type Conninfo, ConninfoError } from './conninfo.ts';
import type { Host } from './host.ts';

/** libpq's modes, and no-verify: node-postgres's word, which hosts of databases hand out, for TLS that verifies nothing. */
export const sslModes = ['disable', 'allow', 'prefer', 'require', 'no-verify', 'verify-ca', 'verify-full'] as const;

export type SslMode = (typeof sslModes)[number];

const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/**
 * TLS options by libpq's rules, which differ from pg's: if there is a root certificate, every mode but no-verify verifies the
 * chain (so `require` becomes `verify-ca`), only verify-full checks the host name, and files in ~/.postgresql are used if
 * they exist.
 *
 * @returns a function that reads the files at each call, and throws a ConninfoError if one cannot be used
 */
export function tlsSettings(found: Conninfo, mode: SslMode, sendsServerName: boolean): (host: Host) => ConnectionOptions {
  const system = found.get('sslrootcert') === 'system';
  if (system && mode !== 'verify-full') {
    throw new ConninfoError(`sslrootcert=system needs sslmode=verify-full: anybody can have a certificate that the system trusts.`);
  }
  const minVersion = version(found, 'ssl_min_protocol_version', 'TLSv1.2');
  const maxVersion = version(found, 'ssl_max_protocol_version', 'TLSv1.3');
  if (versions.indexOf(minVersion) > versions.indexOf(maxVersion)) {
    throw new ConninfoError('ssl_min_protocol_version is above ssl_max_protocol_version.');
  }
  return ({ name }) => {
    const ca = rootCertificates(found.get('sslrootcert') ?? null, mode);
    const options: ConnectionOptions = {
      ...clientCertificate(found),
      minVersion,
      maxVersion,
      rejectUnauthorized: ca !== null,
      // Node passes the address that it connected to. With hostaddr that is not the name to verify.
      checkServerIdentity: (_name, certificate) => (mode === 'verify-full' ? checkName(name, certificate) : undefined),
    };
    if (ca !== null) {
      options.ca = ca;
      const crl = found.get('sslcrl') ?? usual('root.crl');
      if (found.has('sslcrl') || existsSync(crl)) options.crl = read('sslcrl', crl);
    }
    if (sendsServerName && isIP(name) === 0) options.servername = name;
    try {
      createSecureContext(options);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConninfoError(`sslcert, sslkey, sslpassword, sslrootcert and sslcrl do not go together (${reason}).`);
    }
    return options;
  };
}

/** libpq's default location of a file. */
function usual(name: string): string {
  return join(homedir(), '.postgresql', name);
}

function rootCertificates(named: string | null, mode: SslMode): string[] | string | null {
  if (named === 'system') {
    const certificates = getCACertificates('system');
    if (certificates.length > 0) return certificates;
    throw new ConninfoError('sslrootcert=system: the system has no trusted certificates. Install them (Debian: ca-certificates).');
  }
  if (mode === 'no-verify') return null;
  const file = named ?? usual('root.crt');
  if (existsSync(file)) return read('sslrootcert', file);
  if (mode !== 'verify-ca' && mode !== 'verify-full') return null;
  throw new ConninfoError(
    `sslrootcert: ${file} does not exist. Put the certificate of the server's CA there, use sslrootcert=system for one that ` +
      'the system trusts, or set sslmode=require to verify nothing.',
  );
}

function clientCertificate(found: Conninfo): ConnectionOptions {
  const certificate = found.get('sslcert') ?? usual('postgresql.crt');
  if (found.get('sslcertmode') === 'disable' || (!found.has('sslcert') && !existsSync(certificate))) return {};
  const key = found.get('sslkey') ?? usual('postgresql.key');
  const passphrase = found.get('sslpassword');
  const options = { cert: read('sslcert', certificate), key: read('sslkey', key) };
  const { mode, uid } = statSync(key);
  if ((mode & (uid === 0 ? 0o037 : 0o077)) !== 0) {
    throw new ConninfoError(`sslkey: ${key} can be read by others and is not used. Run: chmod 600 ${key}`);
  }
  return passphrase === undefined ? options : { ...options, passphrase };
}

/** If a certificate has no subject alternative names, libpq checks its common name; Node does so only for host names. */
function checkName(name: string, certificate: PeerCertificate): Error | undefined {
  const isCommonName = [certificate.subject.CN].flat().some((each) => each?.toLowerCase() === name.toLowerCase());
  if (certificate.subjectaltname === undefined && isCommonName) return undefined;
  return checkServerIdentity(name, certificate);
}

function read(keyword: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConninfoError(`${keyword}: ${file} cannot be read (${error instanceof Error ? error.message : String(error)}).`);
  }
}

function version(found: Conninfo, keyword: string, fallback: SecureVersion): SecureVersion {
  const given = found.get(keyword) ?? fallback;
  const known = versions.find((each) => each.toLowerCase() === given.toLowerCase());
  if (known === undefined) throw new ConninfoError(`${keyword}: expected one of ${versions.join(', ')}.`);
  return known;
}
