import { Duration, durationText, Time, useNow } from '../app/time.tsx';
import type { AttemptOutcome, WholeJobFragment } from '../generated/job.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { LongText } from '../ui/long-text.tsx';
import './time-line.css';

type Attempt = WholeJobFragment['attempts'][number];

const outcomes: Record<AttemptOutcome, { word: string; tone: Tone }> = {
  COMPLETED: { word: 'Completed', tone: 'good' },
  FAILED: { word: 'Failed', tone: 'bad' },
  EXPIRED: { word: 'Worker went silent', tone: 'bad' },
  TIMEOUT: { word: 'Took too long', tone: 'bad' },
  RELEASED: { word: 'Handed back', tone: 'plain' },
  CANCELLED: { word: 'Cancelled', tone: 'warn' },
};

/** No part of a bar is narrower, in percent: it would not be seen. */
const narrowest = 0.8;

/** The attempts on one line of time: when each was due, how long it waited for a worker, how long it ran, and how it ended. @param ended whether the job has */
export function TimeLine({ attempts, ended }: { attempts: readonly Attempt[]; ended: boolean }) {
  const [first] = attempts;
  if (first === undefined) return <p class="soft">{ended ? 'No worker took it.' : 'No worker has taken it yet.'}</p>;
  const open = attempts.some(({ endedAt }) => endedAt === null);
  return open ? <Growing attempts={attempts} /> : <Lines attempts={attempts} until={latestEnd(attempts, 0)} />;
}

function Growing({ attempts }: { attempts: readonly Attempt[] }) {
  return <Lines attempts={attempts} until={latestEnd(attempts, useNow())} />;
}

/** The last end that is known, or `now` where it is later. */
function latestEnd(attempts: readonly Attempt[], now: number): number {
  return Math.max(now, ...attempts.map(({ endedAt, startedAt }) => Date.parse(endedAt ?? startedAt)));
}

function Lines({ attempts, until }: { attempts: readonly Attempt[]; until: number }) {
  const from = Math.min(...attempts.map(({ dueAt }) => Date.parse(dueAt)));
  return (
    <>
      <ol class="time-line">
        {attempts.map((attempt) => (
          <li key={attempt.number}>
            <Line attempt={attempt} from={from} until={until} />
          </li>
        ))}
      </ol>
      <p class="time-line-scale soft" aria-hidden="true">
        <span>0</span>
        <span class="time-line-legend">
          <svg width="12" height="10">
            <rect class="waits" width="12" height="10" rx="2" />
          </svg>
          waits
          {/* What has run has the colour of how it ended. */}
          {attempts.some(({ outcome }) => outcome === null) && (
            <>
              <svg width="12" height="10">
                <rect class="runs" width="12" height="10" rx="2" />
              </svg>
              runs
            </>
          )}
        </span>
        <span>{durationText(until - from)}</span>
      </p>
    </>
  );
}

function Line({ attempt, from, until }: { attempt: Attempt; from: number; until: number }) {
  const { number, workerId, dueAt, startedAt, endedAt, outcome, error } = attempt;
  const span = Math.max(1, until - from);
  const at = (instant: string) => Math.min(100 - narrowest, ((Date.parse(instant) - from) / span) * 100);
  const started = at(startedAt);
  const ended = endedAt === null ? 100 : at(endedAt);
  const waited = Math.max(0, Date.parse(startedAt) - Date.parse(dueAt));
  return (
    <>
      <div class="time-line-head">
        <strong>Attempt {number}</strong>
        {outcome === null ? <Badge tone="busy">Running</Badge> : <Badge tone={outcomes[outcome].tone}>{outcomes[outcome].word}</Badge>}
        <span class="soft">
          waited {durationText(waited)}, {outcome === null ? 'has run for' : 'ran'} <Duration from={startedAt} to={endedAt} />
        </span>
        <span class="grow" />
        <span class="soft clip" title={workerId}>
          {workerId}
        </span>
        <span class="soft">
          <Time at={startedAt} />
        </span>
      </div>
      <svg class="time-line-bar" width="100%" height="10" aria-hidden="true">
        <rect class="ground" width="100%" height="10" rx="3" />
        <rect class="waits" x={`${at(dueAt)}%`} width={`${Math.max(0, started - at(dueAt))}%`} height="10" rx="2" />
        <rect class={outcome === null ? 'runs' : `runs ${outcome.toLowerCase()}`} x={`${started}%`} width={`${Math.max(narrowest, ended - started)}%`} height="10" rx="2" />
      </svg>
      {error !== null && (
        <p class="time-line-error">
          <code>{error.code}</code> <LongText text={error.message} />
        </p>
      )}
    </>
  );
}
