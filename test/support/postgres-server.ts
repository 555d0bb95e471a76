import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, chownSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Certificate } from './authority.ts';
import { freePort } from './redis-server.ts';

/** A Postgres started for the test, with its own port, and its own folder, which also has its Unix socket. */
export interface PostgresServer {
  port: number;
  /** The folder of its socket. */
  folder: string;
  /** Runs SQL as the superuser, over the socket. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Asks libpq, by running psql: whether it connects with a connection string, and whether by TLS. */
  psql(url: string, env?: Record<string, string>): 'tls' | 'clear' | 'refused';
  /** Stops it at once, to be started again. */
  halt(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Options for spawn: Postgres and PgBouncer refuse to run as root, but CI and containers run as root. */
export const unprivileged = process.getuid?.() === 0 ? { uid: id('-u'), gid: id('-g') } : {};

function id(flag: string): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}

/** The newest version from Debian's packages, or the one in PATH. */
function binary(name: string): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).map(Number).toSorted((a, b) => b - a) : [];
  const found = versions.map((version) => join(root, String(version), 'bin', name)).find((path) => existsSync(path));
  return found ?? name;
}

/**
 * Starts a Postgres. The caller stops it.
 *
 * @param hba lines of pg_hba.conf, after the line that lets the superuser in over the socket
 * @param settings lines of postgresql.conf
 */
export async function startPostgres(options: { hba?: string[]; settings?: string[]; certificate?: Certificate & { ca: string }; standby?: boolean } = {}): Promise<PostgresServer> {
  const { hba = ['host all all 127.0.0.1/32 trust'], settings = [], certificate, standby = false } = options;
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-postgres-'));
  const data = join(folder, 'data');
  const port = await freePort();
  const own = (path: string) => {
    if (unprivileged.uid !== undefined) chownSync(path, unprivileged.uid, unprivileged.gid);
  };
  own(folder);
  execFileSync(binary('initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'], { ...unprivileged, cwd: folder, stdio: 'pipe' });
  writeFileSync(join(data, 'pg_hba.conf'), ['local all all trust', ...hba, ''].join('\n'));
  const lines = [`port = ${port}`, `unix_socket_directories = '${folder}'`, "listen_addresses = '127.0.0.1'", 'fsync = off', ...settings];
  if (certificate !== undefined) {
    for (const [kind, path] of [['server.crt', certificate.cert], ['server.key', certificate.key], ['ca.crt', certificate.ca]] as const) {
      copyFileSync(path, join(data, kind));
      own(join(data, kind));
      chmodSync(join(data, kind), 0o600);
    }
    lines.push("ssl = on", "ssl_cert_file = 'server.crt'", "ssl_key_file = 'server.key'", "ssl_ca_file = 'ca.crt'");
  }
  appendFileSync(join(data, 'postgresql.conf'), `${lines.join('\n')}\n`);
  if (standby) {
    writeFileSync(join(data, 'standby.signal'), '');
    own(join(data, 'standby.signal'));
  }

  let server: ChildProcess | null = null;
  const kill = () => void server?.kill('SIGQUIT');
  process.once('exit', kill);
  const start = async () => {
    if (server !== null) return;
    const child = spawn(binary('postgres'), ['-D', data], { ...unprivileged, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    server = child;
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (/ready to accept (?:read-only )?connections/.test(log)) resolve();
      });
      child.once('exit', () => reject(new Error(`postgres ended before it served:\n${log}`)));
      child.once('error', reject);
    });
  };
  const halt = async () => {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGQUIT');
    await gone;
  };
  await start();

  return {
    port,
    folder,
    sql: async (text) => {
      const client = new pg.Client({ host: folder, port, user: 'postgres', database: 'postgres' });
      await client.connect();
      try {
        const { rows } = await client.query(text);
        return rows;
      } finally {
        await client.end();
      }
    },
    psql: (url, env = {}) => {
      try {
        const text = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
        const answer = execFileSync(binary('psql'), ['-XAtwc', text, url], { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8', stdio: 'pipe' });
        return answer.trim() === 't' ? 'tls' : 'clear';
      } catch {
        return 'refused';
      }
    },
    start,
    halt,
    stop: async () => {
      process.off('exit', kill);
      await halt();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
