import { createClient } from '@longhaul/client';
import { LonghaulProvider, useJob, useJobs, useSubmit } from '@longhaul/client/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

const client = createClient({
  url: document.documentElement.dataset.longhaul,
  auth: async () => {
    const answer = await fetch('/token');
    // A TypeError is tried again: our server, or Longhaul behind it, is away for a moment.
    if (!answer.ok) throw new TypeError('There is no token now.');
    return answer.text();
  },
});

const statuses = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'];
const isFinal = ({ finishedAt }) => finishedAt !== null;

function Page() {
  const [status, setStatus] = useState('');
  const [type, setType] = useState('');
  const [fault, setFault] = useState(null);
  /** Runs what a button does, and shows why it did not work. */
  const act = (action) => () => action().then(() => setFault(null), setFault);
  const { jobs, isLoading, hasMore, error, loadMore } = useJobs(
    { statuses: status === '' ? undefined : [status], types: type === '' ? undefined : [type] },
    { pageSize: 25 },
  );
  return (
    <main>
      <h1>Jobs</h1>
      <Create act={act} />
      <p>
        <Select name="status" value={status} onChange={setStatus} options={statuses} />{' '}
        <Select name="type" value={type} onChange={setType} options={['demo', 'fingerprint']} />
      </p>
      {(fault ?? error) && <p role="alert">{String((fault ?? error).message)}</p>}
      <table>
        <tbody>{jobs.map((job) => <Row key={job.id} listed={job} act={act} />)}</tbody>
      </table>
      <button id="more" disabled={isLoading || !hasMore} onClick={loadMore}>{isLoading ? 'Loading' : 'More'}</button>
    </main>
  );
}

function Create({ act }) {
  const { submit, isSubmitting, upload } = useSubmit('fingerprint');
  const [seconds, setSeconds] = useState(60);
  const twenty = () => client.submitMany(Array.from({ length: 20 }, () => ({ type: 'demo', input: { seconds } })));
  return (
    <p>
      <label>Fingerprint of <input type="file" disabled={isSubmitting} onChange={({ target }) => act(() => submit({ sourceUrl: target.files[0] }))()} /></label>
      {upload && <progress id="upload" value={upload.done} max={upload.total} />}{' '}
      <button id="twenty" onClick={act(twenty)}>Twenty demo jobs</button> of{' '}
      <input id="seconds" type="number" value={seconds} onChange={({ target }) => setSeconds(Number(target.value))} /> seconds
    </p>
  );
}

/** A list tells of every change of status; how far a job is comes job by job, all over one socket. */
function Row({ listed, act }) {
  const { job: live } = useJob(isFinal(listed) ? null : listed.id);
  const job = live !== null && live.version > listed.version ? live : listed;
  const handle = client.handle(job.id);
  return (
    <tr id={job.uuid} className={job.status}>
      <td>{new Date(job.createdAt).toLocaleTimeString()}</td>
      <td>{job.type}</td>
      <td>{job.status}</td>
      <td><progress value={job.progress?.percentage ?? (job.status === 'COMPLETED' ? 100 : 0)} max="100" /> {job.error?.message ?? job.progress?.message}</td>
      <td>
        {!isFinal(job) && <button name="cancel" onClick={act(() => handle.cancel())}>Cancel</button>}
        {(job.status === 'FAILED' || job.status === 'CANCELLED') && <button name="retry" onClick={act(() => handle.retry())}>Retry</button>}
        {job.artifacts.length > 0 && <button name="download" onClick={act(() => save(job))}>Download</button>}
      </td>
    </tr>
  );
}

async function save(job) {
  const file = await client.download(job);
  const href = URL.createObjectURL(await file.blob());
  Object.assign(document.createElement('a'), { href, download: file.filename }).click();
  URL.revokeObjectURL(href);
}

function Select({ name, value, onChange, options }) {
  return (
    <select id={name} value={value} onChange={({ target }) => onChange(target.value)}>
      <option value="">any {name}</option>
      {options.map((option) => <option key={option}>{option}</option>)}
    </select>
  );
}

createRoot(document.querySelector('#root')).render(<StrictMode><LonghaulProvider client={client}><Page /></LonghaulProvider></StrictMode>);
