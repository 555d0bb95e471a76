import { isFinal } from '@longhaul/client';
import { useEffect, useRef } from 'preact/hooks';
import { agoText } from '../app/ago-text.ts';
import { announce } from '../app/notices.tsx';
import { Duration, useNow } from '../app/time.tsx';
import { useQuery } from '../app/use-query.ts';
import { useRefresh } from '../app/use-refresh.ts';
import { ReadWhoTakesTypesDocument, type WholeJobFragment } from '../generated/job.ts';
import { statusWord } from '../ui/badge.tsx';
import { Bar, percentText } from '../ui/bar.tsx';
import { LongText } from '../ui/long-text.tsx';

/** Progress is read out no more often, in milliseconds. */
const spokenEvery = 10_000;

/** How far it is, or how it ended, in a sentence. */
export function JobState({ job }: { job: WholeJobFragment }) {
  useSpoken(job);
  const { status, progress, error, cancelReason } = job;
  const said = progress?.message ?? progress?.step ?? null;
  return (
    <section class="card job-card job-state" aria-label="State">
      {status === 'RUNNING' && (
        <>
          <Bar percentage={progress?.percentage ?? null} label="Progress" />
          <p>
            {progress?.percentage != null && <strong>{percentText(progress.percentage)}</strong>} {said ?? 'A worker has it and has not reported yet.'}
            {progress?.message != null && progress.step !== null && <code class="soft"> {progress.step}</code>}
          </p>
        </>
      )}
      {status === 'PENDING' && <Waiting job={job} />}
      {status === 'COMPLETED' && (
        <p>
          Completed in <Duration from={job.startedAt} to={job.finishedAt} />.
        </p>
      )}
      {status === 'FAILED' && error !== null && (
        <p class="job-error">
          <code>{error.code}</code> <LongText text={error.message} />
        </p>
      )}
      {status === 'CANCELLED' && <p>Cancelled{cancelReason === null ? ', without a reason.' : `: ${cancelReason}`}</p>}
    </section>
  );
}

/** Of a job that is due: what it waits for, as far as that can be told. */
function Due({ type }: { type: string }) {
  const { loaded, reload } = useQuery(ReadWhoTakesTypesDocument, {});
  // Workers and pauses are no changes of a job, so no subscription tells of them.
  useRefresh(reload, 15);
  const taken = loaded.data?.jobTypes.find(({ name }) => name === type);
  if (taken?.paused === true) return <p>Waits: its type is paused.</p>;
  return <p>Waits for a worker.{taken?.liveWorkers === 0 && ' None takes this type now.'}</p>;
}

function Waiting({ job: { type, runAt, nextAttemptAt, attempts } }: { job: WholeJobFragment }) {
  const now = useNow();
  const later = nextAttemptAt ?? runAt;
  if (later !== null && Date.parse(later) > now) {
    return (
      <p>
        {attempts.length === 0 ? 'Starts' : 'Tried again'} {agoText(later, now)}.
      </p>
    );
  }
  return <Due type={type} />;
}

/** Tells screen readers of changes: of the status at once, of progress now and then. */
function useSpoken({ id, type, status, progress }: WholeJobFragment): void {
  const last = useRef({ id, status, at: 0 });
  useEffect(() => {
    const { current } = last;
    const now = Date.now();
    if (current.id !== id) last.current = { id, status, at: now };
    else if (current.status !== status) {
      last.current = { id, status, at: now };
      announce(`${type}: ${statusWord(status)}`);
    } else if (!isFinal(status) && progress?.percentage != null && now - current.at > spokenEvery) {
      last.current = { id, status, at: now };
      announce(`${percentText(progress.percentage)}${progress.message === null ? '' : `, ${progress.message}`}`);
    }
  });
}
