import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { JobLogLine } from '@longhaul/client';
import { messageOf } from '../app/api.ts';
import { counted } from '../app/counted.ts';
import { notify } from '../app/notices.tsx';
import { shortInstantText } from '../app/time.tsx';
import type { LogLevel } from '../generated/job.ts';
import { Button } from '../ui/button.tsx';
import { Failure } from '../ui/failure.tsx';
import { Loading } from '../ui/loading.tsx';
import { useLogLines } from './log-lines.ts';
import './log-view.css';

const levels: readonly { level: LogLevel; text: string }[] = [
  { level: 'DEBUG', text: 'All levels' },
  { level: 'INFO', text: 'Info and above' },
  { level: 'WARN', text: 'Warnings and errors' },
  { level: 'ERROR', text: 'Errors' },
];

/** No more lines are in the document at once. */
const mostShown = 2_000;

/** So many older lines come with each step. */
const step = 200;

/** The job's log: newest at the bottom, where it follows until one scrolls up. */
export function LogView({ id, attempts }: { id: string; attempts: readonly number[] }) {
  const level = useSignal<LogLevel>('DEBUG');
  const attempt = useSignal<number | null>(null);
  const following = useSignal(true);
  /** Sequence of the first line that is shown, while it does not follow. */
  const firstShown = useSignal<number | null>(null);
  const busy = useSignal(false);
  const frame = useRef<HTMLDivElement>(null);
  /** Sequence of the line at the top when older ones were asked for: it stays in sight. */
  const kept = useRef<number | null>(null);
  const { log, older, retry } = useLogLines(id, { level: level.value, attempt: attempt.value });
  const rows = useMemo(() => new WeakMap<JobLogLine, VNode>(), [attempts.length > 1]);

  const { lines } = log;
  const anchor = firstShown.value;
  const from = following.value || anchor === null ? Math.max(0, lines.length - mostShown) : Math.max(0, lines.findIndex(({ sequence }) => sequence >= anchor));
  const shown = lines.slice(from, from + mostShown);
  const newer = lines.length - from - shown.length;

  useLayoutEffect(() => {
    const { current } = frame;
    if (current === null) return;
    const at = shown.findIndex(({ sequence }) => sequence === kept.current);
    if (at > 0) {
      kept.current = null;
      const row = current.querySelectorAll('.log-line')[at];
      if (row instanceof HTMLElement) current.scrollTop = row.offsetTop - current.clientHeight / 4;
    } else if (following.value) current.scrollTop = current.scrollHeight;
  });

  const onScroll = () => {
    const { current } = frame;
    if (current === null) return;
    const atEnd = current.scrollHeight - current.scrollTop - current.clientHeight < 12 && newer === 0;
    if (atEnd === following.value) return;
    firstShown.value = shown[0]?.sequence ?? null;
    following.value = atEnd;
  };
  const showOlder = async () => {
    kept.current = shown[0]?.sequence ?? null;
    following.value = false;
    if (from > 0) return void (firstShown.value = lines[Math.max(0, from - step)]?.sequence ?? null);
    busy.value = true;
    firstShown.value = 0;
    try {
      await older();
    } catch (error) {
      notify(messageOf(error), { kind: 'failed' });
    } finally {
      busy.value = false;
    }
    return undefined;
  };
  const hasOlder = from > 0 || log.olderFrom !== null;

  return (
    <div class="log">
      <div class="row log-tools">
        <select aria-label="Level" value={level.value} onChange={({ currentTarget }) => (level.value = levels.find((one) => one.level === currentTarget.value)?.level ?? 'DEBUG')}>
          {levels.map((one) => (
            <option key={one.level} value={one.level}>
              {one.text}
            </option>
          ))}
        </select>
        {attempts.length > 1 && (
          <select aria-label="Attempt" value={attempt.value ?? ''} onChange={({ currentTarget }) => (attempt.value = currentTarget.value === '' ? null : Number(currentTarget.value))}>
            <option value="">All attempts</option>
            {attempts.map((number) => (
              <option key={number} value={number}>
                Attempt {number}
              </option>
            ))}
          </select>
        )}
        <span class="grow" />
        <span class="soft">{stateText(log.ended, lines.length, log.olderFrom !== null)}</span>
        <Button pressed={following.value} onClick={() => (following.value = !following.value)} title="Keeps the newest line in sight">
          Follow
        </Button>
      </div>
      {log.error !== null && <Failure error={log.error} retry={retry} />}
      {!log.ready && log.error === null && <Loading rows={4} />}
      {log.ready && lines.length === 0 && (
        <p class="soft log-empty">{emptyText(log.ended, level.value !== 'DEBUG' || attempt.value !== null)}</p>
      )}
      {lines.length > 0 && (
        <div class="log-frame" ref={frame} role="log" aria-live="off" aria-label="Log" tabIndex={0} onScroll={onScroll}>
          {hasOlder && (
            <div class="log-edge">
              <Button quiet busy={busy.value} onClick={() => void showOlder()}>
                Show older lines
              </Button>
            </div>
          )}
          {!hasOlder && log.dropped > 0 && (
            <p class="log-edge soft">{log.dropped.toLocaleString('en')} older lines were left out: of a job the newest 10,000 are kept.</p>
          )}
          {shown.map((line) => {
            const row = rows.get(line) ?? <Line key={line.sequence} line={line} withAttempt={attempts.length > 1} />;
            // The same node again is not compared again.
            rows.set(line, row);
            return row;
          })}
          {newer > 0 && (
            <div class="log-edge">
              <Button quiet onClick={() => (following.value = true)}>
                {newer.toLocaleString('en')} newer lines
              </Button>
            </div>
          )}
        </div>
      )}
    </div>
  );
}

function emptyText(ended: boolean, filtered: boolean): string {
  const which = filtered ? 'such lines' : 'lines';
  return ended ? `Its workers wrote no ${which}.` : `No ${which} yet. They appear here as its worker writes them.`;
}

/** @param newest whether there are older ones, which are read when they are asked for */
function stateText(ended: boolean, count: number, newest: boolean): string {
  const lines = `${newest ? 'the newest ' : ''}${counted(count, 'line')}`;
  return count === 0 ? '' : ended ? lines : `${lines}, live`;
}

function Line({ line: { at, level, attempt, message, fields }, withAttempt }: { line: JobLogLine; withAttempt: boolean }) {
  return (
    <div class={`log-line ${level.toLowerCase()}`}>
      <time dateTime={at}>
        {shortInstantText(at)}.{at.slice(20, 23)}
      </time>
      <span class="log-level">{level}</span>
      {withAttempt && <span class="soft">#{attempt}</span>}
      <span class="log-text">
        {message}
        {fields !== null && (
          <span class="log-fields">
            {Object.entries(fields).map(([name, value]) => (
              <span key={name}>
                {' '}
                {name}=<b>{typeof value === 'string' ? value : JSON.stringify(value)}</b>
              </span>
            ))}
          </span>
        )}
      </span>
    </div>
  );
}
