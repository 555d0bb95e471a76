import { readFile } from 'node:fs/promises';
import type { Installation } from './installation.ts';

/** Length of a clock tick in microseconds: there are 100 per second on every Linux that Node runs on. */
const tickMicroseconds = 10_000;

/** User and system time of a process, in microseconds; null if there is no /proc, or no such process. */
export async function cpuOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The name in parentheses may contain anything. After it, utime and stime are the 12th and 13th fields.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMicroseconds;
}

/** The same for this process, the bench itself. */
export function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** CPU time of each backend of the database; empty if Postgres does not run on this machine. */
export async function postgresCpu({ admin }: Installation): Promise<Map<number, number>> {
  const { rows } = await admin.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  const times = await Promise.all(
    rows.map(async ({ pid }): Promise<[number, number][]> => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const time = command.startsWith('postgres') ? await cpuOf(pid) : null;
      return time === null ? [] : [[pid, time]];
    }),
  );
  return new Map(times.flat());
}

/** What the backends of `after` took since `before`; null where nothing is known. Backends that ended are not seen. */
export function cpuBetween(before: Map<number, number>, after: Map<number, number>): number | null {
  if (after.size === 0) return null;
  return [...after].reduce((sum, [pid, time]) => sum + time - (before.get(pid) ?? 0), 0);
}
