import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { readServer } from '../../src/database/connection/database-url.ts';

const folder = mkdtempSync(join(tmpdir(), 'longhaul-conninfo-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

const self = userInfo().username;

/** The hosts, user and database of a string, as one line. */
function read(text: string, environment: Record<string, string> = {}): string {
  const { hosts, user, database } = readServer(text, environment);
  const places = hosts.map(({ name, address, port }) => `${name === address ? '' : `${name}=`}${address}:${port}`);
  return `${user}@${places.join(',')}/${database}`;
}

/** Why a string is refused. */
function refusal(text: string, environment: Record<string, string> = {}): string {
  try {
    readServer(text, environment);
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error(`${text} was expected to be refused.`);
}

describe('DATABASE_URL is read as libpq reads it', () => {
  // Each was compared with what PQconninfoParse gives.
  test.for([
    ['postgres://db.example', `${self}@db.example:5432/${self}`],
    ['postgresql://u@db.example', 'u@db.example:5432/u'],
    ['postgres://u:p@db.example:6543/jobs', 'u@db.example:6543/jobs'],
    ['postgres://u:@db.example:/jobs', 'u@db.example:5432/jobs'],
    ['postgres://%75%40corp:p%3A%2F%40@DB.Example:5432/j%20b%2Fs', 'u@corp@DB.Example:5432/j b/s'],
    ['postgres://u:a?b#c&d=e@h/d', 'u@h:5432/d'],
    ['postgres://ü:ß@hôst/dätä', 'ü@hôst:5432/dätä'],
    ['postgres://u+v@h/a+b', 'u+v@h:5432/a+b'],
    ['postgres://[::1]/d?user=u', 'u@::1:5432/d'],
    ['postgres://u@[2001:db8::1%25eth0]:6543/d', 'u@2001:db8::1%eth0:6543/d'],
    ['postgres://u@a:1,b:2,[::1]:3/d', 'u@a:1,b:2,::1:3/d'],
    ['postgres://u@a,b:2,c/d', 'u@a:5432,b:2,c:5432/d'],
    ['postgres://u@a,b/d?port=7', 'u@a:7,b:7/d'],
    ['postgres://u@/d?host=a,b&port=1,2', 'u@a:1,b:2/d'],
    ['postgres://u@a/d?host=b', 'u@b:5432/d'],
    ['postgres://u@%2Frun%2Fpg/d', 'u@/run/pg:5432/d'],
    ['postgres:///d?host=/run/pg&user=u&port=5433', 'u@/run/pg:5433/d'],
    ['postgres://u@h?dbname=d', 'u@h:5432/d'],
    ['postgres://u@h/?dbname=d', 'u@h:5432/d'],
    ['postgres://u@name/d?hostaddr=10.0.0.7', 'u@name=10.0.0.7:5432/d'],
    ['postgres://u@a,b/d?hostaddr=10.0.0.7,10.0.0.8&port=1', 'u@a=10.0.0.7:1,b=10.0.0.8:1/d'],
    ['hostaddr=10.0.0.7 user=u dbname=d', 'u@10.0.0.7:5432/d'],
    ['host=h port=6543 dbname=d user=u', 'u@h:6543/d'],
    [`  host = h   dbname='a b' user='it\\'s' password = ''`, "it's@h:5432/a b"],
    [String.raw`host=h user=a\ b\\c dbname='d\'`.replace(String.raw`\'`, "'"), String.raw`a b\c@h:5432/d`],
    ["host=/run/pg user=u dbname='d'port=1", 'u@/run/pg:1/d'],
    ['host=a,b,c port=1,,3 user=u', 'u@a:1,b:5432,c:3/u'],
  ])('%s', ([text = '', meaning]) => {
    expect(read(text)).toBe(meaning);
  });

  test('an empty value is none', () => {
    expect(read("host='' port='' dbname=d user=u hostaddr=10.0.0.1")).toBe('u@10.0.0.1:5432/d');
    expect(read('postgres://u@h/d?sslmode=&options=&target_session_attrs=')).toBe('u@h:5432/d');
  });
});

describe('what it leaves open', () => {
  const environment = { PGHOST: 'env', PGPORT: '7', PGUSER: 'eu', PGDATABASE: 'ed', PGSSLMODE: 'disable', PGAPPNAME: 'app' };

  test('comes from the PG* variables', () => {
    expect(read('postgres://', environment)).toBe('eu@env:7/ed');
    expect(read('postgres://u@h:1/d', environment)).toBe('u@h:1/d');
    expect(read('postgres://u@h/d', environment)).toBe('u@h:7/d');
    expect(read('dbname=d', environment)).toBe('eu@env:7/d');
    expect(readServer('postgres://', environment)).toMatchObject({ sslMode: 'disable', applicationName: 'app' });
    expect(readServer('postgres:///?sslmode=prefer&application_name=mine', environment)).toMatchObject({
      sslMode: 'prefer',
      applicationName: 'mine',
    });
    expect(readServer('postgres://h', { PGREQUIRESSL: '1' }).sslMode).toBe('require');
  });

  test('comes from a service before them', () => {
    const file = join(folder, 'services');
    writeFileSync(file, '# ours\n\n[other]\nhost=no\n[jobs]\n# here\nhost=from-service\nport=9\ndbname=sd\noptions=-c lock_timeout=1s\n[more]\nuser=no\n');
    for (const text of ['service=jobs', 'postgres://?service=jobs', 'postgres://']) {
      expect(read(text, { ...environment, PGSERVICEFILE: file, PGSERVICE: 'jobs' })).toBe('eu@from-service:9/sd');
    }
    expect(read('service=jobs port=1', { ...environment, PGSERVICEFILE: file })).toBe('eu@from-service:1/sd');
    expect(refusal('service=none', { PGSERVICEFILE: file })).toMatch(/^service: "none" is in none of .*services/);
  });

  test('is what libpq has: the socket, the name of the user, TLS where the server has it', () => {
    expect(readServer('postgres://', {})).toMatchObject({
      hosts: [{ address: expect.stringMatching(/^\//), port: 5432 }],
      user: self,
      database: self,
      sslMode: 'prefer',
      sslNegotiation: 'postgres',
      channelBinding: true,
      sessionAttributes: 'any',
      keepAliveSeconds: 0,
      shuffled: false,
    });
    expect(readServer('postgres://h?sslrootcert=system', {}).sslMode).toBe('verify-full');
  });
});

test('parameters of the connection are taken', () => {
  const text = 'postgres://h/d?connect_timeout=3&keepalives_idle=20&target_session_attrs=read-write&load_balance_hosts=random';
  expect(readServer(`${text}&channel_binding=disable&ssl=true`, {})).toMatchObject({
    connectMilliseconds: 3_000,
    keepAliveSeconds: 20,
    sessionAttributes: 'read-write',
    shuffled: true,
    channelBinding: false,
    sslMode: 'require',
  });
  expect(readServer('host=h keepalives=0 connect_timeout=0 requiressl=1', {})).toMatchObject({
    keepAliveSeconds: null,
    connectMilliseconds: 0,
    sslMode: 'require',
  });
});

test.for([
  ['-c search_path=a,b', { search_path: 'a,b' }, null],
  ['-csearch_path=a -c  lock_timeout=5s', { search_path: 'a', lock_timeout: '5s' }, null],
  [String.raw`--search-path=a\ b\\c --jit=on`, { search_path: String.raw`a b\c`, jit: 'on' }, null],
  ['-c my.tenant=7 -c DateStyle=iso -c timezone=UTC', { 'my.tenant': '7', datestyle: 'iso', timezone: 'UTC' }, null],
  ['endpoint=ep-cool-1 -c jit=on', { jit: 'on' }, 'endpoint=ep-cool-1'],
  ['-c log_connections=on -c jit=on -d 3', { jit: 'on' }, '-c log_connections=on -d 3'],
] as const)('options %s are parameters of the session, or words for the start-up packet', ([text, parameters, startupOptions]) => {
  const server = readServer(`postgres://h/d?options=${encodeURIComponent(text)}`, {});
  expect(Object.fromEntries(server.parameters)).toEqual(parameters);
  expect(server.startupOptions).toBe(startupOptions);
  expect(readServer('postgres://h', { PGOPTIONS: text }).startupOptions).toBe(startupOptions);
});

describe('what cannot be honoured is refused', () => {
  test.for([
    ['mysql://u@h/d', /^expected postgres:\/\//],
    ['localhost:5432', /^expected postgres:\/\//],
    ['postgres:/h/d', /^expected postgres:\/\//],
    ['postgres://h:http/d', /^port: expected an integer from 1 to 65535/],
    ['postgres://h:0/d', /^port: /],
    ['postgres://h:70000/d', /^port: /],
    ['postgres://a,b:1,c:2:3/d', /^port: |host/],
    ['postgres://a,b/d?port=1,2,3', /^there are 3 ports for 2 hosts/],
    ['postgres://a,b/d?hostaddr=1.2.3.4', /^hostaddr has 1 entries and host 2/],
    ['postgres://[::1/d', /IPv6/],
    ['postgres://[]/d', /IPv6.*empty/],
    ['postgres://[::1]x/d', /IPv6/],
    ['postgres://h/d?sslmode', /^parameter 1 after the \?/],
    ['postgres://h/d?a=b=c', /^parameter 1 after the \?/],
    ['postgres://h/d?sslmod=require', /^parameter "sslmod" is not a libpq keyword/],
    ['postgres://h/%zz', /^the percent-encoding of dbname/],
    ['postgres://h/d?user=%00', /^the percent-encoding of user/],
    ['host=h nonsense', /^pair 2 is not keyword=value/],
    ["host=h dbname='d", /^pair 2 is not keyword=value/],
    ['host=h sslmod=require', /^the name of parameter 2 is not a libpq keyword/],
    ['host=@abstract', /abstract/],
    ['postgres://h?sslmode=on', /^sslmode: expected one of disable, allow, prefer, require, no-verify, verify-ca, verify-full/],
    ['postgres://h?sslmode=verify-full&sslrootcert=/nowhere/root.crt', /^sslrootcert: \/nowhere\/root\.crt does not exist/],
    ['postgres://h?sslmode=require&sslrootcert=system', /^sslrootcert=system needs sslmode=verify-full/],
    ['postgres://h?sslmode=require&sslcert=/nowhere/c&sslkey=/nowhere/k', /^sslcert: \/nowhere\/c cannot be read/],
    ['postgres://h?sslnegotiation=direct', /^sslnegotiation=direct needs TLS/],
    ['postgres://h?ssl_min_protocol_version=TLSv9', /^ssl_min_protocol_version: expected one of/],
    ['postgres://h?ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2', /^ssl_min_protocol_version is above/],
    ['postgres://h?channel_binding=require', /^channel_binding cannot be honoured: .*verify-full/],
    ['postgres://h?gssencmode=require', /^gssencmode cannot be honoured: GSSAPI/],
    ['postgres://h?krbsrvname=postgres', /^krbsrvname cannot be honoured/],
    ['postgres://h?require_auth=scram-sha-256', /^require_auth cannot be honoured/],
    ['postgres://h?requirepeer=postgres', /^requirepeer cannot be honoured/],
    ['postgres://h?tcp_user_timeout=1000', /^tcp_user_timeout cannot be honoured/],
    ['postgres://h?keepalives_count=3', /^keepalives_count cannot be honoured/],
    ['postgres://h?client_encoding=LATIN1', /^client_encoding cannot be honoured/],
    ['postgres://h?replication=database', /^replication cannot be honoured/],
    ['postgres://h?sslcertmode=require', /^sslcertmode cannot be honoured/],
    ['postgres://h?sslcrldir=/crl', /^sslcrldir cannot be honoured/],
    ['postgres://h?target_session_attrs=standby', /^target_session_attrs=standby leads to a server that only reads/],
    ['postgres://h?target_session_attrs=master', /^target_session_attrs: expected one of/],
    ['postgres://h?connect_timeout=soon', /^connect_timeout: expected a whole number of seconds/],
    ['postgres://h?keepalives=yes', /^keepalives: expected one of 0, 1/],
    ['postgres://h?options=-c%20datestyle%3DGerman', /^options: datestyle is set by Longhaul/],
    ['postgres://h?options=-c%20standard_conforming_strings%3Doff', /^options: standard_conforming_strings/],
    ['postgres://h?options=--default-transaction-read-only%3Don', /^options: default_transaction_read_only/],
    ['postgres://h?options=-c%20statement_timeout%3D1', /^options: statement_timeout would end Longhaul's own statements/],
    ['postgres://h?options=-c%20transaction_timeout%3D0.5s', /^options: transaction_timeout would end/],
  ] as const)('%s', ([text, reason]) => {
    vi.stubEnv('HOME', folder);
    expect(refusal(text)).toMatch(reason);
  });

  test('also where the environment asks for it', () => {
    expect(refusal('postgres://h', { PGCHANNELBINDING: 'require' })).toMatch(/^channel_binding cannot be honoured/);
    expect(refusal('postgres://h', { PGTARGETSESSIONATTRS: 'read-only' })).toMatch(/^target_session_attrs/);
    expect(refusal('postgres://h', { PGCLIENTENCODING: 'LATIN1' })).toMatch(/^client_encoding .* from the environment variable PGCLIENTENCODING\.$/);
    expect(refusal('postgres://h?client_encoding=LATIN1', { PGCLIENTENCODING: 'LATIN9' })).not.toMatch(/PGCLIENTENCODING/);
  });
});

test('a password is in no refusal and in nothing that is printed', () => {
  const texts = [
    'postgres://u:hunter2/x@h/d',
    'postgres://u:hunter2:x/y@h/d',
    'postgres://u:hun/ter2?hunter2@h/d',
    'postgres://u:p/x?hunter2=y@h/d',
    'postgres://u:%hunter2@h/d',
    'postgres://u:hunter2#@[h/d',
    'host=h password=x hunter2 dbname=d',
    "host=h password='hunter2",
    'host=h password=x hunter2=y',
    'hunter2',
    'postgres://u:hunter2@h:port/d',
  ];
  for (const text of texts) expect([text, refusal(text)]).toEqual([text, expect.not.stringContaining('hunter2')]);
  const server = readServer('postgres://u:hunter2@h/d?sslpassword=hunter2&sslmode=disable', { PGPASSWORD: 'hunter2' });
  expect(inspect(server, { depth: 9, showHidden: true })).not.toContain('hunter2');
  expect(JSON.stringify(server)).not.toContain('hunter2');
});
