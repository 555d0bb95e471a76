import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { readServer } from '../../src/database/connection/database-url.ts';
import { Route } from '../../src/database/connection/route.ts';
import { openServerDatabase } from '../../src/database/open.ts';
import { silentLog } from '../../src/log.ts';
import { entities } from '../../src/server/entities.ts';
import { type Authority, type Certificate, makeAuthority, openssl } from '../support/authority.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';

/** One server with TLS, and what may come in how told by the user; its certificate is for `localhost`, not for 127.0.0.1. */
let authority: Authority & { remove(): Promise<void> };
let another: Authority & { remove(): Promise<void> };
let server: PostgresServer;
/** TLS is off here. */
let plain: PostgresServer;
let client: Certificate;
let home: string;

beforeAll(async () => {
  [authority, another] = await Promise.all([makeAuthority(), makeAuthority()]);
  const [certificate, issued] = await Promise.all([authority.issue('localhost', ['DNS:localhost']), authority.issue('by_certificate')]);
  client = issued;
  [server, plain] = await Promise.all([
    startPostgres({
      certificate: { ...certificate, ca: authority.ca },
      hba: [
        'hostssl all tls_only 127.0.0.1/32 trust',
        'hostnossl all clear_only 127.0.0.1/32 trust',
        'host all anyhow 127.0.0.1/32 trust',
        'hostssl all by_certificate 127.0.0.1/32 cert',
        'host all by_password 127.0.0.1/32 scram-sha-256',
        'host all by_md5 127.0.0.1/32 md5',
      ],
    }),
    startPostgres(),
  ]);
  for (const name of ['tls_only', 'clear_only', 'anyhow', 'by_certificate']) await server.sql(`CREATE ROLE ${name} LOGIN SUPERUSER`);
  await server.sql(`CREATE ROLE by_password LOGIN SUPERUSER PASSWORD 'p%@:/?#[]&= '''`);
  await server.sql(`SET password_encryption = md5; CREATE ROLE by_md5 LOGIN SUPERUSER PASSWORD 'secret'`);
  await plain.sql('CREATE ROLE anyhow LOGIN SUPERUSER');
  home = await mkdtemp(join(tmpdir(), 'longhaul-home-'));
  await chmod(client.key, 0o600);
}, 60_000);

afterEach(() => {
  vi.unstubAllEnvs();
});

afterAll(async () => {
  await Promise.all([server.stop(), plain.stop(), authority.remove(), another.remove()]);
  await rm(home, { recursive: true, force: true });
});

/** Whether a connection is made, and whether by TLS; where it is refused, why. */
async function connect(text: string, environment: Record<string, string> = {}): Promise<'tls' | 'clear' | Error> {
  vi.stubEnv('HOME', home);
  try {
    const connection = await new Route(readServer(text, environment)).connect({ statementMilliseconds: 0, planning: 'auto' }, 'test');
    try {
      const { rows } = await connection.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      return rows[0]?.ssl === true ? 'tls' : 'clear';
    } finally {
      await connection.end();
    }
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** A connection string for the server with TLS. */
function of(user: string, more: string): string {
  return `host=localhost port=${server.port} dbname=postgres user=${user} ${more}`;
}

/** As this program sees it, and as libpq does. */
async function both(text: string): Promise<{ longhaul: string; libpq: string }> {
  const here = await connect(text);
  return { longhaul: here instanceof Error ? 'refused' : here, libpq: server.psql(text, { HOME: home }) };
}

describe('sslmode means what it means to libpq', () => {
  const modes = ['', 'disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
  for (const user of ['tls_only', 'clear_only', 'anyhow', 'nobody_we_know']) {
    test(`for a user whom the server lets in like ${user}`, async () => {
      const cases = [
        { host: 'localhost', roots: ['', authority.ca, another.ca, '/nowhere.pem'] },
        { host: '127.0.0.1', roots: [authority.ca] },
      ];
      for (const { host, roots } of cases) {
        for (const mode of modes) {
          for (const root of roots) {
            const parameters = [mode && `sslmode=${mode}`, root && `sslrootcert=${root}`].filter((each) => each !== '');
            const text = `postgres://${user}@${host}:${server.port}/postgres?${parameters.join('&')}`;
            const { longhaul, libpq } = await both(text);
            expect([text, longhaul]).toEqual([text, libpq]);
          }
        }
      }
    }, 60_000);
  }

  test.for(modes)('%s on a server without TLS', async (mode) => {
    const { longhaul, libpq } = await both(`host=127.0.0.1 port=${plain.port} user=anyhow dbname=postgres ${mode && `sslmode=${mode}`}`);
    expect(longhaul).toBe(libpq);
  });

  test('but for no-verify, which libpq does not know: TLS that verifies nothing, whatever root certificate is there', async () => {
    for (const root of ['', `sslrootcert=${another.ca}`, 'sslrootcert=/nowhere.pem']) {
      expect(await connect(of('tls_only', `sslmode=no-verify ${root}`))).toBe('tls');
      expect(await connect(of('clear_only', `sslmode=no-verify ${root}`))).toBeInstanceOf(Error);
    }
    expect(await connect(`host=127.0.0.1 port=${plain.port} user=anyhow dbname=postgres sslmode=no-verify`)).toBeInstanceOf(Error);
  });

  test('and nothing on a Unix socket, which never has TLS', async () => {
    for (const mode of modes) {
      const text = `postgres:///postgres?host=${server.folder}&port=${server.port}&user=anyhow&sslmode=${mode || 'prefer'}&sslrootcert=${authority.ca}`;
      expect(await connect(text)).toBe('clear');
    }
    expect(await connect(`postgres://anyhow@${encodeURIComponent(server.folder)}:${server.port}/postgres`)).toBe('clear');
  });
});

describe('certificates', () => {
  test('in ~/.postgresql are used as libpq uses them', async () => {
    await mkdir(join(home, '.postgresql'));
    try {
      await copyFile(another.ca, join(home, '.postgresql', 'root.crt'));
      for (const mode of ['prefer', 'require', 'verify-ca']) {
        const { longhaul, libpq } = await both(of('anyhow', `sslmode=${mode}`));
        expect([mode, longhaul]).toEqual([mode, libpq]);
      }
      await copyFile(authority.ca, join(home, '.postgresql', 'root.crt'));
      await copyFile(client.cert, join(home, '.postgresql', 'postgresql.crt'));
      await copyFile(client.key, join(home, '.postgresql', 'postgresql.key'));
      await chmod(join(home, '.postgresql', 'postgresql.key'), 0o600);
      expect(await both(of('by_certificate', 'sslmode=verify-full'))).toEqual({ longhaul: 'tls', libpq: 'tls' });
    } finally {
      await rm(join(home, '.postgresql'), { recursive: true });
    }
  });

  test('of the client let it in, and a key with a password is opened with sslpassword', async () => {
    const locked = `${client.key}.locked`;
    await openssl('pkey', '-in', client.key, '-aes256', '-passout', 'pass:open sesame', '-out', locked);
    await chmod(locked, 0o600);
    const plainKey = of('by_certificate', `sslmode=require sslcert=${client.cert} sslkey=${client.key}`);
    expect(await both(plainKey)).toEqual({ longhaul: 'tls', libpq: 'tls' });
    const withPassword = of('by_certificate', `sslmode=require sslcert=${client.cert} sslkey=${locked} sslpassword='open sesame'`);
    expect(await both(withPassword)).toEqual({ longhaul: 'tls', libpq: 'tls' });
    expect(await connect(withPassword.replace('open sesame', 'shut'))).toMatchObject({ message: expect.stringMatching(/^sslcert, sslkey, sslpassword/) });
    expect(await both(of('by_certificate', 'sslmode=require'))).toEqual({ longhaul: 'refused', libpq: 'refused' });
    await chmod(locked, 0o644);
    expect(await connect(withPassword)).toMatchObject({ message: expect.stringContaining(`chmod 600 ${locked}`) });
  });

  test('that somebody else signed, or for another name, are refused with what to do', async () => {
    expect(await connect(of('anyhow', `sslmode=verify-full sslrootcert=${another.ca}`))).toMatchObject({
      message: expect.stringMatching(/cannot connect to localhost:\d+ \(.*certificate.*\)\. sslrootcert has to hold/),
    });
    const address = of('anyhow', `sslmode=verify-full sslrootcert=${authority.ca}`).replace('localhost', '127.0.0.1');
    expect(await connect(address)).toMatchObject({ message: expect.stringContaining('Name the host as its certificate does') });
    expect(await connect(`hostaddr=127.0.0.1 ${of('anyhow', `sslmode=verify-full sslrootcert=${authority.ca}`)}`)).toBe('tls');
    expect(await connect(of('anyhow', 'sslrootcert=system'))).toMatchObject({ message: expect.stringMatching(/certificate/) });
  });

  test('are looked at whether or not the name is told to the server', async () => {
    for (const sni of ['0', '1']) {
      expect(await connect(of('anyhow', `sslmode=verify-full sslrootcert=${authority.ca} sslsni=${sni}`))).toBe('tls');
    }
  });
});

describe('a password', () => {
  const secret = "p%@:/?#[]&= '";

  test('is taken from the string, from PGPASSWORD and from a password file, in clear text and by TLS with channel binding', async () => {
    const encoded = encodeURIComponent(secret);
    const file = join(home, 'passwords');
    const escaped = secret.replaceAll(/[\\:]/g, String.raw`\$&`);
    await writeFile(file, `# ours\nelsewhere:*:*:*:no\n127.0.0.1:${server.port}:*:by_password:${escaped}\n*:*:*:*:no\n`, { mode: 0o600 });
    for (const mode of ['disable', 'require']) {
      expect(await connect(`postgres://by_password:${encoded}@127.0.0.1:${server.port}/postgres?sslmode=${mode}`)).not.toBeInstanceOf(Error);
      expect(await connect(`postgres://by_password@127.0.0.1:${server.port}/postgres?sslmode=${mode}`, { PGPASSWORD: secret })).not.toBeInstanceOf(Error);
      expect(await connect(`postgres://by_password@127.0.0.1:${server.port}/postgres?sslmode=${mode}&passfile=${file}`)).not.toBeInstanceOf(Error);
      expect(await connect(`postgres://by_password@127.0.0.1:${server.port}/postgres?sslmode=${mode}`, { PGPASSFILE: file })).not.toBeInstanceOf(Error);
      expect(await connect(`postgres://by_md5:secret@127.0.0.1:${server.port}/postgres?sslmode=${mode}`)).not.toBeInstanceOf(Error);
    }
    await chmod(file, 0o644);
    expect(await connect(`postgres://by_password@127.0.0.1:${server.port}/postgres?passfile=${file}`)).toMatchObject({ message: expect.stringContaining(`chmod 600 ${file}`) });
  });

  test('that is wrong or missing is told with what to do, and never shown', async () => {
    const wrong = await connect(`postgres://by_password:hunter2hunter2@127.0.0.1:${server.port}/postgres`);
    expect(wrong).toMatchObject({ message: expect.stringMatching(/password authentication failed.*Check the user and the password/) });
    expect(String(wrong)).not.toContain('hunter2');
    for (const user of ['by_password', 'by_md5']) {
      expect(await connect(`postgres://${user}@127.0.0.1:${server.port}/postgres`)).toMatchObject({
        message: expect.stringMatching(/asks for a password.*PGPASSWORD or \.pgpass/),
      });
    }
  });
});

test('every connection of a process is by TLS, where the server lets nothing else in', async () => {
  const text = `postgres://tls_only@localhost:${server.port}/postgres?sslmode=verify-full&sslrootcert=${authority.ca}`;
  const opened = await openServerDatabase({
    entities,
    server: readServer(text, {}),
    poolSize: 4,
    sharing: 'sole',
    log: silentLog,
    onEvicted: (reason) => {
      throw reason;
    },
  });
  try {
    const { database } = opened;
    await Promise.all([database.reads.query('SELECT 1'), database.hot.query('SELECT 1')]);
    const seen = await server.sql(`SELECT application_name AS name, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE usename = 'tls_only' ORDER BY 1`);
    expect(seen).toEqual([
      { name: 'longhaul hot', ssl: true },
      { name: 'longhaul process lock', ssl: true },
      { name: 'longhaul reads', ssl: true },
    ]);
  } finally {
    await opened.close();
  }
});
