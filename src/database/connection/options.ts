import { ConninfoError } from './conninfo.ts';
import { isRequiredOtherwise } from './session.ts';

/** The few parameters that Postgres accepts only in the start-up packet. */
const startupOnly = new Set([
  'ignore_system_indexes',
  'jit_debugging_support',
  'jit_profiling_support',
  'local_preload_libraries',
  'log_connections',
  'log_disconnections',
  'post_auth_delay',
  'session_preload_libraries',
]);

/**
 * Parses `options`, the command-line arguments for the server process, splitting them as Postgres does (`pg_split_opts`).
 * Parameters are set after connecting, because poolers reject a start-up packet that has them. Everything else stays in the
 * packet.
 *
 * @throws ConninfoError if it sets a parameter to a value that Longhaul cannot work with, such as a time limit below a second
 */
export function parseOptions(text: string): { parameters: ReadonlyMap<string, string>; startupOptions: string | null } {
  const words = [...text.matchAll(/(?:\\.|[^\s\\])+/gs)].map(([word]) => word);
  const parameters = new Map<string, string>();
  const startup: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const isApart = word === '-c' || word === '--';
    const assigned = isApart ? (words[at + 1] ?? '') : word.startsWith('-c') || word.startsWith('--') ? word.slice(2) : '';
    const [, name = '', value = ''] = /^([\w.-]+)=(.*)$/s.exec(assigned.replaceAll(/\\(.)/gs, '$1')) ?? [];
    const parameter = name.replaceAll('-', '_').toLowerCase();
    if (parameter === '' || startupOnly.has(parameter)) startup.push(word, ...(isApart ? [words[at + 1] ?? ''] : []));
    else if (isRequiredOtherwise(parameter, value)) {
      throw new ConninfoError(`options: ${parameter} is set by Longhaul, which cannot work with another value; remove it.`);
    } else if (limits.has(parameter) && isShort(value)) {
      throw new ConninfoError(`options: ${parameter} would end Longhaul's own statements; set it to a second or more, or remove it.`);
    } else parameters.set(parameter, value);
    if (isApart) at += 1;
  }
  return { parameters, startupOptions: startup.length === 0 ? null : startup.join(' ') };
}

const limits = new Set(['statement_timeout', 'transaction_timeout']);
const unitMilliseconds = new Map([['us', 0.001], ['ms', 1], ['', 1], ['s', 1_000]]);

/** Whether a time limit is below a second. 0 is no limit, and what cannot be read is left to Postgres to refuse. */
function isShort(value: string): boolean {
  const [, digits = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/.exec(value) ?? [];
  const milliseconds = Number(digits) * (unitMilliseconds.get(unit) ?? Infinity);
  return milliseconds > 0 && milliseconds < 1_000;
}
