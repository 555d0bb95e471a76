import { readFile, stat } from 'node:fs/promises';

/** The connection that needs a password. `host` is `localhost` for a Unix socket in the default folder. */
interface Asking {
  host: string;
  port: number;
  database: string;
  user: string;
}

/**
 * Looks up the password of a connection in a libpq password file (HOST:PORT:DATABASE:USER:PASSWORD); undefined if the file
 * does not exist or has no match. Read for each connection, so that passwords can change while the process runs.
 *
 * @throws Error if others may read the file. libpq would ignore it with a warning that is easy to miss.
 */
export async function findPassword(file: string, { host, port, database, user }: Asking): Promise<string | undefined> {
  const about = await stat(file).catch(() => null);
  if (about?.isFile() !== true) return undefined;
  if ((about.mode & 0o077) !== 0) {
    throw new Error(`The password file ${file} can be read by others and is not used. Run: chmod 600 ${file}`);
  }
  const wanted = [host, String(port), database, user];
  for (const line of (await readFile(file, 'utf8')).split(/\r?\n/)) {
    const [password, ...fields] = entry.exec(line)?.slice(1).map(unescape).toReversed() ?? [];
    const isMeant = fields.toReversed().every((field, index) => field === '*' || field === wanted[index]);
    if (password !== undefined && isMeant && !line.startsWith('#')) return password;
  }
  return undefined;
}

const field = String.raw`((?:\\.|[^:\\])*)`;
const entry = new RegExp(`^${[field, field, field, field, field].join(':')}`);

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/g, '$1');
}
