import { dialectValues, type FilterName, filterNames, quoted, statusValues, tokensOf } from './job-filters.ts';

/** What is known of the workspace, to choose from. */
export interface KnownValues {
  types: readonly string[];
  workers: readonly string[];
  schedules: readonly { id: string; name: string }[];
  /** Seen in the list. */
  tags: readonly string[];
  errors: readonly string[];
}

/** One line of what may be meant. */
export interface Completion {
  /** Replaces the part that is being written. */
  text: string;
  hint: string;
  /** Whether the part is complete with it; a name still waits for its value. */
  complete: boolean;
}

/** The part of the text that is being written, and what it may become. */
interface Completions {
  start: number;
  end: number;
  options: readonly Completion[];
}

const hints: Record<FilterName, string> = {
  status: 'pending, running, completed, failed, cancelled',
  type: 'kind of job',
  tag: 'jobs that bear it; several: all of them',
  error: 'code of a failure',
  worker: 'had an attempt at it',
  dialect: 'surface that it came through',
  schedule: 'created it',
  reference: "submitter's own name for it",
  after: 'created after: 2h, 3d, 2026-02-03',
  before: 'created before: 2h, 3d, 2026-02-03',
};

const times = ['15min', '1h', '24h', '7d', '30d'];

/** So many are offered. */
const most = 8;

/** What may be meant by what stands before the caret. */
export function completionsAt(text: string, caret: number, known: KnownValues): Completions {
  const token = tokensOf(text).find(({ start, end }) => start < caret && caret <= end) ?? { text: '', start: caret, end: caret };
  const written = token.text.slice(0, caret - token.start);
  const colon = written.indexOf(':');
  const name = filterNames.find((one) => one === written.slice(0, colon).toLowerCase());
  const options = name === undefined ? namesFor(written) : valuesFor(name, written.slice(colon + 1).replace(/^"/, ''), known);
  // What is written already needs no completion.
  return { start: token.start, end: token.end, options: options.filter((option) => option.text !== token.text) };
}

function namesFor(written: string): Completion[] {
  const start = written.toLowerCase();
  return filterNames.filter((name) => name.startsWith(start)).map((name) => ({ text: `${name}:`, hint: hints[name], complete: false }));
}

function valuesFor(name: FilterName, written: string, known: KnownValues): Completion[] {
  const values = valuesOf(name, known);
  const wanted = written.toLowerCase();
  const starting = values.filter((value) => value.toLowerCase().startsWith(wanted));
  const within = values.filter((value) => !starting.includes(value) && value.toLowerCase().includes(wanted));
  return [...starting, ...within].slice(0, most).map((value) => ({ text: `${name}:${quoted(value)}`, hint: '', complete: true }));
}

function valuesOf(name: FilterName, { types, workers, schedules, tags, errors }: KnownValues): readonly string[] {
  switch (name) {
    case 'status':
      return statusValues;
    case 'dialect':
      return dialectValues;
    case 'type':
      return types;
    case 'worker':
      return workers;
    case 'schedule':
      return schedules.map((schedule) => schedule.name);
    case 'tag':
      return tags;
    case 'error':
      return errors;
    case 'after':
    case 'before':
      return times;
    case 'reference':
      return [];
  }
}

/** The text with the completion in place, and where the caret goes. */
export function completed(text: string, { start, end }: Completions, { text: inserted, complete }: Completion): { text: string; caret: number } {
  const rest = text.slice(end);
  const space = complete && !rest.startsWith(' ') ? ' ' : '';
  return { text: text.slice(0, start) + inserted + space + rest, caret: start + inserted.length + (complete ? 1 : 0) };
}
