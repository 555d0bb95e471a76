import { isFinal } from '@longhaul/client';
import type { ComponentChildren } from 'preact';
import { href } from '../app/router.ts';
import { useTitle } from '../app/use-title.ts';
import type { WholeJobFragment } from '../generated/job.ts';
import { StatusBadge } from '../ui/badge.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { Heading } from '../ui/heading.tsx';
import { Loading } from '../ui/loading.tsx';
import { DeliveriesView } from './deliveries-view.tsx';
import { JobActions } from './job-actions.tsx';
import { JobFacts } from './job-facts.tsx';
import { JobFiles } from './job-files.tsx';
import { JobState } from './job-state.tsx';
import { useLiveJob } from './live-job.ts';
import { LogView } from './log-view.tsx';
import { Input, Output, useInput } from './payload-view.tsx';
import { TimeLine } from './time-line.tsx';
import './job.css';

export function Screen({ parts: [id = ''] }: { parts: readonly string[] }) {
  const { live, reload } = useLiveJob(id);
  useTitle(live.job?.type ?? 'Job');
  const { job, missing, error } = live;
  if (missing) {
    return (
      <ScreenFrame title="Job">
        <Empty title="There is no such job">
          <p>No job of this workspace has the id {id}. It may have been deleted, or belong to another workspace.</p>
          <a href={href(['jobs'])}>All jobs</a>
        </Empty>
      </ScreenFrame>
    );
  }
  if (job === null) return error === null ? <Loading rows={12} /> : <Failure error={error} retry={reload} />;
  return (
    <section class="screen">
      {error !== null && <Failure error={error} retry={reload} />}
      <Shown job={job} reload={reload} />
    </section>
  );
}

function Shown({ job, reload }: { job: WholeJobFragment; reload: () => void }) {
  const { id, artifacts, uploads, attempts } = job;
  const input = useInput(id);
  return (
    <>
      <header class="screen-head">
        <div class="job-title grow">
          <Heading>{job.type}</Heading>
          <StatusBadge status={job.status} />
          <span class="job-id">
            <code class="soft clip">{id}</code>
            <CopyButton text={id} label="Copy id" />
          </span>
        </div>
        <JobActions job={job} input={input.loaded.data?.job?.input} reload={reload} />
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
            <TimeLine attempts={attempts} ended={isFinal(job.status)} />
          </Card>
          <Card title="Log" flush>
            <LogView id={id} attempts={attempts.map(({ number }) => number)} />
          </Card>
          <Card title="Input">
            <Input id={id} {...input} />
          </Card>
          {job.status === 'COMPLETED' && (
            <Card title="Output">
              <Output id={id} />
            </Card>
          )}
          {isFinal(job.status) && (
            <Card title="Webhook deliveries">
              <DeliveriesView id={id} />
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

function Card({ title, children, flush = false }: { title: string; children: ComponentChildren; flush?: boolean }) {
  return (
    <section class={flush ? 'card job-card flush' : 'card job-card'} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
