import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../client.ts';

/** A Longhaul for tests, in a process of its own, embedded: nothing of it is left when it has stopped. */
export interface TestServer {
  url: string;
  /** With every scope. */
  key: string;
  /** With that key. */
  client: Client;
  stop(): Promise<void>;
}

export interface TestServerOptions {
  /** The folder of a Longhaul, after `npm ci`; where not given, the repository that this package stands in. */
  folder?: string | undefined;
  /** More of its configuration, for example JOB_TYPES. */
  env?: Readonly<Record<string, string>> | undefined;
}

/** Starts one with built-in workers, which takes a second or two. */
export async function startTestServer({ folder = repository(), env = {} }: TestServerOptions = {}): Promise<TestServer> {
  const data = await mkdtemp(join(tmpdir(), 'longhaul-test-server-'));
  const key = `lh_${randomBytes(32).toString('hex')}`;
  const own = { PATH: process.env['PATH'] ?? '', PORT: '0', DATA_DIR: data, ADMIN_API_KEY: key, DRAIN_SECONDS: '0' };
  // The Node that `npm ci` brought, where there is one: this one may be older.
  const brought = join(folder, 'node_modules/.bin/node');
  const server = spawn(existsSync(brought) ? brought : process.execPath, [join(folder, 'src/main.ts')], { cwd: folder, env: { ...own, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(server, 'exit');
  const kill = () => void server.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    server.kill('SIGTERM');
    await exited;
    process.off('exit', kill);
    await rm(data, { recursive: true, force: true });
  };
  try {
    const url = await ready(server);
    return { url, key, client: createClient({ url, auth: key }), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address, from the log line that says that it is ready. */
function ready(server: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const [, url] = /"url":"([^"]+)".*"msg":"ready"/.exec(output) ?? [];
      if (url !== undefined) resolve(url);
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`Longhaul did not start:\n${output}`)));
  });
}

function repository(): string {
  const folder = fileURLToPath(new URL('../../../../', import.meta.url));
  if (existsSync(join(folder, 'src/main.ts'))) return folder;
  throw new Error('startTestServer finds no Longhaul: give it the folder of one.');
}
