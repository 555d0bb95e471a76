import type { ComponentChildren } from 'preact';
import { counted } from '../app/counted.ts';
import { href } from '../app/router.ts';
import { Duration, Time } from '../app/time.tsx';
import type { Dialect, WholeJobFragment } from '../generated/job.ts';
import { StatusBadge } from '../ui/badge.tsx';
import { CopyButton } from '../ui/copy.tsx';

const dialects: Record<Dialect, string> = { NATIVE: 'GraphQL', REVID: 'RevidAPI', VIDEOCONDUIT: 'VideoConduit', VIDOCU: 'Vidocu', VYDRA: 'Vydra' };

/** Names and values, for the column beside the job. */
function List({ title, rows }: { title: string; rows: readonly (readonly [string, ComponentChildren] | null)[] }) {
  const there = rows.filter((row) => row !== null);
  if (there.length === 0) return null;
  return (
    <section class="card job-card">
      <h2>{title}</h2>
      <dl class="job-facts">
        {there.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** When what happened, what it cost, and what created it. */
export function JobFacts({ job }: { job: WholeJobFragment }) {
  const { runAt, nextAttemptAt, status, schedule } = job;
  const [first] = job.attempts;
  return (
    <>
      <List
        title="Times"
        rows={[
          ['Created', <Time at={job.createdAt} />],
          runAt === null ? null : ['Not before', <Time at={runAt} />],
          ['Started', <Time at={job.startedAt} />],
          job.finishedAt === null ? null : ['Ended', <Time at={job.finishedAt} />],
          nextAttemptAt !== null && status === 'PENDING' ? ['Next attempt', <Time at={nextAttemptAt} relative />] : null,
          first === undefined ? null : ['Waited', <Duration from={first.dueAt} to={first.startedAt} />],
          job.startedAt === null ? null : [job.finishedAt === null ? 'Takes so far' : 'Took', <Duration from={job.startedAt} to={job.finishedAt} />],
        ]}
      />
      <List
        title="Details"
        rows={[
          ['UUID', <Copied text={job.uuid} />],
          job.vendorId === null ? null : ['Vendor id', <Copied text={job.vendorId} />],
          ['Via', <a href={href(['jobs'], { dialect: job.dialect })}>{dialects[job.dialect]}</a>],
          schedule === null ? null : ['Schedule', <a href={href(['jobs'], { schedule: schedule.id })}>{schedule.name}</a>],
          job.clientReference === null ? null : ['Reference', <a href={href(['jobs'], { reference: job.clientReference })}>{job.clientReference}</a>],
          job.tags.length === 0 ? null : ['Tags', <Tags tags={job.tags} />],
          ['Attempts', `at most ${counted(job.maxAttempts, 'failed one')}`],
          job.priority === 0 ? null : ['Priority', `${job.priority > 0 ? '+' : ''}${job.priority} min`],
          job.concurrencyKey === null ? null : ['Concurrency', `${job.concurrencyKey}: ${job.concurrencyLimit ?? 1} at once`],
          ['Credits', `${counted(job.creditsCharged, 'credit')} charged${job.creditsRefunded > 0 ? `, ${job.creditsRefunded.toLocaleString('en')} refunded` : ''}`],
        ]}
      />
      <Chain job={job} />
    </>
  );
}

function Copied({ text }: { text: string }) {
  return (
    <span class="job-copied">
      <span class="clip mono" title={text}>
        {text}
      </span>
      <CopyButton text={text} label={`Copy ${text}`} />
    </span>
  );
}

function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <span class="row job-tags">
      {tags.map((tag) => (
        <a key={tag} class="badge" href={href(['jobs'], { tag })}>
          {tag}
        </a>
      ))}
    </span>
  );
}

/** The job that it retries, and those that retry it. */
function Chain({ job: { retryOf, retries } }: { job: WholeJobFragment }) {
  if (retryOf === null && retries.edges.length === 0) return null;
  return (
    <section class="card job-card">
      <h2>Retries</h2>
      <ul class="job-chain">
        {retryOf !== null && (
          <li>
            <span class="soft">Retry of</span> <Link job={retryOf} />
          </li>
        )}
        {retries.edges.map(({ node }) => (
          <li key={node.id}>
            <span class="soft">Retried as</span> <Link job={node} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Link({ job: { id, status, createdAt } }: { job: Pick<WholeJobFragment, 'id' | 'status' | 'createdAt'> }) {
  return (
    <a href={href(['jobs', id])} class="row">
      <StatusBadge status={status} /> <Time at={createdAt} />
    </a>
  );
}
