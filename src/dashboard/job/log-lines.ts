import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { JobLogLine } from '@longhaul/client';
import { client, hears, noticed, query } from '../app/api.ts';
import { whileWatched } from '../app/watched.ts';
import { type LogLevel, ReadLogsDocument } from '../generated/job.ts';

/** What of a job's log is read: all attempts where `attempt` is null. */
interface LogFilter {
  level: LogLevel;
  attempt: number | null;
}

interface LogLines {
  /** Oldest first, without gaps but those of the filter. */
  lines: readonly JobLogLine[];
  /** Null where there are no older ones. */
  olderFrom: string | null;
  /** So many were left out before the first: the server keeps the newest 10,000. */
  dropped: number;
  /** The newest page was read. */
  ready: boolean;
  /** The job has ended, and its last line is here. */
  ended: boolean;
  error: unknown;
}

const none: LogLines = { lines: [], olderFrom: null, dropped: 0, ready: false, ended: false, error: null };

/** In one page of older lines. */
const pageSize = 100;

/** The page holds no more lines; the server does not either. */
const mostHeld = 10_000;

/** Lines that come within so many milliseconds are shown at once. */
const together = 80;

/** The newest lines, then what is added; older ones by the page. */
export function useLogLines(id: string, { level, attempt }: LogFilter): { log: LogLines; older: () => Promise<void>; retry: () => void } {
  const log = useSignal<LogLines>(none);
  const round = useSignal(0);
  const variables = { id, level, attempt, last: pageSize };
  useEffect(() => {
    const left = new AbortController();
    log.value = none;
    const adding = new Adding((lines) => (log.value = withNew(log.value, lines)), left.signal);
    const follow = async (signal: AbortSignal) => {
      // After a rest it goes on where it was.
      if (!log.value.ready) {
        const page = await readPage(variables, signal);
        signal.throwIfAborted();
        log.value = { ...none, ...page, ready: true };
      }
      try {
        const newer = client.handle(id).logs({ level, afterSequence: log.value.lines.at(-1)?.sequence, signal, onTransport: hears });
        for await (const line of newer) if (attempt === null || line.attempt === attempt) adding.add(line);
      } finally {
        adding.flush();
      }
      log.value = { ...log.value, ended: true };
    };
    whileWatched(left.signal, follow).catch((error: unknown) => {
      if (!left.signal.aborted) log.value = { ...log.value, error: noticed(error) };
    });
    return () => left.abort();
  }, [id, level, attempt, round.value]);
  const older = async () => {
    const { value } = log;
    if (value.olderFrom === null) return;
    const page = await readPage({ ...variables, before: value.olderFrom });
    // The filter may have changed meanwhile.
    if (log.value.olderFrom !== value.olderFrom) return;
    log.value = { ...log.value, olderFrom: page.olderFrom, dropped: page.dropped, lines: [...page.lines, ...log.value.lines] };
  };
  const retry = useMemo(() => () => void (round.value += 1), [round]);
  return { log: log.value, older, retry };
}

async function readPage(
  variables: { id: string; level: LogLevel; attempt: number | null; last: number; before?: string },
  signal?: AbortSignal,
): Promise<Pick<LogLines, 'lines' | 'olderFrom' | 'dropped'>> {
  const { job } = await query(ReadLogsDocument, variables, { signal });
  if (job === null) return { lines: [], olderFrom: null, dropped: 0 };
  const { edges, pageInfo, droppedLines } = job.logs;
  return { lines: edges.map(({ node }) => node), olderFrom: pageInfo.hasPreviousPage ? pageInfo.startCursor : null, dropped: droppedLines };
}

function withNew(log: LogLines, added: readonly JobLogLine[]): LogLines {
  const all = [...log.lines, ...added];
  const surplus = Math.max(0, all.length - mostHeld);
  if (surplus === 0) return { ...log, lines: all };
  // What the cursor stood for is no longer next to what is held.
  return { ...log, lines: all.slice(surplus), olderFrom: null, dropped: log.dropped + surplus };
}

/** Collects lines, and shows them together, until somebody leaves. */
class Adding {
  #waiting: JobLogLine[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #show: (lines: readonly JobLogLine[]) => void;
  readonly #left: AbortSignal;

  constructor(show: (lines: readonly JobLogLine[]) => void, left: AbortSignal) {
    this.#show = show;
    this.#left = left;
    left.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  add(line: JobLogLine): void {
    if (this.#left.aborted) return;
    this.#waiting.push(line);
    this.#timer ??= setTimeout(() => this.flush(), together);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#waiting;
    this.#waiting = [];
    if (lines.length > 0 && !this.#left.aborted) this.#show(lines);
  }
}
