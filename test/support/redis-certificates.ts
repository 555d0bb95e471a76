import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

/** Paths of PEM files, which are removed after the test. */
export interface Certificates {
  /** A private CA that nobody trusts by default. */
  ca: string;
  /** A certificate signed by the CA, only for 127.0.0.1. */
  cert: string;
  key: string;
}

/** Makes a CA and the certificate of a server. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-tls-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await writeFile(file('extensions'), 'subjectAltName=IP:127.0.0.1\n');
  const ca = ['-keyout', file('ca.key'), '-out', file('ca.pem'), '-days', '2', '-subj', '/CN=A CA of Longhaul tests'];
  await openssl('req', '-x509', ...newKey, ...ca);
  await openssl('req', ...newKey, '-keyout', file('redis.key'), '-out', file('redis.csr'), '-subj', '/CN=redis');
  const signing = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2'];
  await openssl('x509', '-req', '-in', file('redis.csr'), ...signing, '-extfile', file('extensions'), '-out', file('redis.pem'));
  return { ca: file('ca.pem'), cert: file('redis.pem'), key: file('redis.key') };
}

function openssl(...words: string[]) {
  return promisify(execFile)('openssl', words);
}

/** redis-server flags that add TLS on this port. */
export function tlsFlags({ ca, cert, key }: Certificates, port: number): string[] {
  const files = ['--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', key];
  return ['--tls-port', String(port), '--tls-auth-clients', 'no', ...files];
}
