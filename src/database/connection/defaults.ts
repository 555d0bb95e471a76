import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Conninfo, ConninfoError } from './conninfo.ts';
import { keywords } from './keywords.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fills in what a connection string leaves open, in libpq's order (`conninfo_add_defaults`): from its service, then from the
 * PG* environment variables.
 *
 * @throws ConninfoError
 */
export function addDefaults(found: Conninfo, environment: Environment): Conninfo {
  const all = new Map([...found].filter(([, value]) => value !== ''));
  const addMissing = (more: Conninfo) => {
    for (const [keyword, value] of more) if (!all.has(keyword)) all.set(keyword, value);
  };
  const service = all.get('service') ?? environment['PGSERVICE'];
  if (service) addMissing(readService(service, serviceFiles(all.get('servicefile'), environment)));
  if (environment['PGREQUIRESSL']?.startsWith('1') === true && !environment['PGSSLMODE']) addMissing(new Map([['sslmode', 'require']]));
  addMissing(
    new Map([...keywords].map(([keyword, variable]) => [keyword, environment[variable ?? ''] ?? ''] as const).filter(([, value]) => value !== '')),
  );
  return all;
}

function serviceFiles(named: string | undefined, environment: Environment): string[] {
  const own = named ?? environment['PGSERVICEFILE'] ?? join(homedir(), '.pg_service.conf');
  return [own, join(environment['PGSYSCONFDIR'] ?? '/etc/postgresql-common', 'pg_service.conf')];
}

/** Reads the service from the first file that has it. Later files add nothing. */
function readService(service: string, files: string[]): Conninfo {
  for (const file of files) {
    const lines = (read(file) ?? '').split(/\r?\n/).map((line) => line.trim());
    const start = lines.indexOf(`[${service}]`);
    if (start === -1) continue;
    const rest = lines.slice(start + 1);
    const end = rest.findIndex((line) => line.startsWith('['));
    return new Map(
      rest
        .slice(0, end === -1 ? undefined : end)
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => readServiceLine(line, file)),
    );
  }
  throw new ConninfoError(`service: ${JSON.stringify(service)} is in none of ${files.join(' and ')}.`);
}

function readServiceLine(line: string, file: string): [string, string] {
  const at = line.indexOf('=');
  const keyword = line.slice(0, Math.max(at, 0));
  if (at === -1 || !keywords.has(keyword) || keyword === 'service' || keyword === 'servicefile') {
    throw new ConninfoError(`service: ${file} has a line that is not keyword=value with a keyword of libpq's (ldap: is not supported).`);
  }
  return [keyword, line.slice(at + 1)];
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new ConninfoError(`${file} cannot be read (${error instanceof Error ? error.message : String(error)}).`);
  }
}
