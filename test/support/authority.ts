import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Paths of PEM files. */
export interface Certificate {
  cert: string;
  key: string;
}

/** A private CA that nobody trusts by default. */
export interface Authority {
  /** Path of the CA's certificate. */
  ca: string;
  /** @param names subject alternative names in OpenSSL's form, `DNS:localhost`; without any there is only the common name */
  issue(commonName: string, names?: string[]): Promise<Certificate>;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

/** Makes a CA in its own folder. The caller removes it. */
export async function makeAuthority(): Promise<Authority & { remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-tls-'));
  const file = (name: string) => join(folder, name);
  const ca = file('ca.pem');
  const caKey = file('ca.key');
  await openssl('req', '-x509', ...newKey, '-nodes', '-keyout', caKey, '-out', ca, '-days', '2', '-subj', '/CN=A CA of Longhaul tests');
  return {
    ca,
    remove: () => rm(folder, { recursive: true, force: true }),
    issue: async (commonName, names = []) => {
      const [key, request, cert, extensions] = ['key', 'csr', 'pem', 'extensions'].map((kind) => file(`${commonName}.${kind}`)) as [string, string, string, string];
      await openssl('req', ...newKey, '-nodes', '-keyout', key, '-out', request, '-subj', `/CN=${commonName}`);
      await writeFile(extensions, names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`);
      const signing = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
      await openssl('x509', '-req', '-in', request, ...signing, '-out', cert);
      return { cert, key };
    },
  };
}

export async function openssl(...words: string[]): Promise<void> {
  await promisify(execFile)('openssl', words);
}
