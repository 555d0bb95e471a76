import { readFile } from 'node:fs/promises';

/** Resident memory of a process, in bytes. Linux only. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kibibytes = /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error('Resident memory is read from /proc, which is not there: run it on Linux.');
  return Number(kibibytes) * 1_024;
}
