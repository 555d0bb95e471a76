import type { ComponentChildren } from 'preact';
import { href } from '../app/router.ts';
import { useTitle } from '../app/title.ts';
import type { WholeJobFragment } from '../generated/job.ts';
import { StatusBadge } from '../ui/badge.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { Loading } from '../ui/loading.tsx';
import { DeliveriesView } from './deliveries-view.tsx';
import { JobActions } from './job-actions.tsx';
import { JobFacts } from './job-facts.tsx';
import { JobFiles } from './job-files.tsx';
import { JobState } from './job-state.tsx';
import { isFinal, useLiveJob } from './live-job.ts';
import { LogView } from './log-view.tsx';
import { Input, Payload, usePayload } from './payload-view.tsx';
import { TimeLine } from './time-line.tsx';
import './job.css';

export function Screen({ parts: [id = ''] }: { parts: readonly string[] }) {
  const { live, reload } = useLiveJob(id);
  useTitle(live.job?.type ?? 'Job');
  const { job, missing, error } = live;
  if (missing) {
    return (
      <Empty title="There is no such job">
        <p>No job of this workspace has the id {id}. It may have been deleted, or belong to another workspace.</p>
        <a href={href(['jobs'])}>All jobs</a>
      </Empty>
    );
  }
  if (job === null) return error === null ? <Loading rows={12} /> : <Failure error={error} retry={reload} />;
  return (
    <section class="screen">
      {error !== null && <Failure error={error} retry={reload} />}
      {/* Another job is another screen: nothing of the one before may stay. */}
      <Shown key={job.id} job={job} reload={reload} />
    </section>
  );
}

function Shown({ job, reload }: { job: WholeJobFragment; reload: () => void }) {
  const { id, artifacts, uploads, attempts } = job;
  const input = usePayload(id, 'input', 0);
  return (
    <>
      <header class="screen-head">
        <div class="job-title grow">
          <h1>{job.type}</h1>
          <StatusBadge status={job.status} />
          <span class="job-id">
            <code class="soft clip">{id}</code>
            <CopyButton text={id} label="Copy id" />
          </span>
        </div>
        <JobActions job={job} input={input.value} reload={reload} />
      </header>
      <div class="job">
        <div class="job-main">
          <JobState job={job} />
          {artifacts.length + uploads.length > 0 && (
            <Card title="Files">
              <JobFiles artifacts={artifacts} uploads={uploads} />
            </Card>
          )}
          <Card title="Attempts">
            <TimeLine attempts={attempts} />
          </Card>
          <Card title="Log" flush>
            <LogView id={id} attempts={attempts.map(({ number }) => number)} />
          </Card>
          <Card title="Input">
            <Input id={id} payload={input} />
          </Card>
          {job.status === 'COMPLETED' && (
            <Card title="Output">
              <Output id={id} version={job.version} />
            </Card>
          )}
          {isFinal(job.status) && (
            <Card title="Webhook deliveries">
              <DeliveriesView id={id} version={job.version} />
            </Card>
          )}
        </div>
        <aside class="job-side" aria-label="About this job">
          <JobFacts job={job} />
        </aside>
      </div>
    </>
  );
}

function Output({ id, version }: { id: string; version: number }) {
  return <Payload payload={usePayload(id, 'output', version)} label="Output" />;
}

function Card({ title, children, flush = false }: { title: string; children: ComponentChildren; flush?: boolean }) {
  return (
    <section class={flush ? 'card job-card flush' : 'card job-card'} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
