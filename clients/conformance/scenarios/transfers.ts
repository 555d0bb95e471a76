import { ended, given, type Scenario, type Stage } from '../stage.ts';
import { type Assignment, describeEnd } from '../assignment.ts';
import type { StoredFile, Upload } from '../files.ts';
import { internal } from '../trouble.ts';

/** A file that is cut while it is read, and comes back as a result past all sorts of trouble; and one that arrives damaged. */
export const transfers: Scenario = {
  checks: ['files', 'file-bytes', 'results', 'key'],
  async run(stage) {
    const { desk, files, verdicts } = stage;
    const source = files.store(['cut']);
    files.uploadTroubles.push('full', 'cut');
    desk.trouble('other', internal);
    const copy = await given(stage, { name: 'copy', save: true }, { file: source });
    await ended(stage, copy, 5);
    const uploads = [...files.uploads.values()].filter(({ token }) => token === copy.token);
    judgeReading(stage, copy, source, uploads);
    judgeResult(stage, copy, source, uploads);
    files.uploadTroubles.length = 0;
    desk.clearTroubles();

    const damaged = files.store(['damaged']);
    const job = await given(stage, { name: 'damaged' }, { file: damaged });
    await ended(stage, job, 5);
    if (damaged.requests === 0) verdicts.unused('file-bytes', 'it reads no files of the input');
    else if (job.end?.field === 'failJob' || (job.end?.field === 'completeJob' && damaged.requests > 1)) {
      verdicts.pass('file-bytes', job.end.field === 'failJob' ? 'it failed a job whose file was damaged on its way' : 'it read a damaged file again');
    } else verdicts.fail('file-bytes', `a file arrived damaged, and its job ${describeEnd(job)}`);

    if (files.requests === 0) verdicts.unused('key', 'it asks for no files');
    else if (files.keys.length > 0) verdicts.fail('key', `${files.keys[0] ?? ''} went with the key to the host of the files, whose URLs are signed`);
    else verdicts.pass('key', 'the host of the files did not get it');
  },
};

function judgeReading({ verdicts }: Stage, copy: Assignment, source: StoredFile, uploads: readonly Upload[]): void {
  if (source.requests === 0) return verdicts.unused('files', 'it reads no files of the input');
  if (copy.end?.field === 'completeJob' && copy.output['sha256'] === source.sha256) return verdicts.pass('files', `it read ${source.content.length} bytes in ${source.requests} requests`);
  if (uploads.length > 0 && copy.end?.field === 'failJob') return verdicts.unknown('files', 'its job failed while the result was sent');
  return verdicts.fail('files', `a file was cut on its way, and its job ${describeEnd(copy)}`);
}

function judgeResult({ verdicts }: Stage, copy: Assignment, source: StoredFile, uploads: readonly Upload[]): void {
  if (uploads.length === 0 && verdicts.verdict('files') === 'fail') return verdicts.unknown('results', 'what it is to send was not read');
  if (uploads.length === 0) return verdicts.unused('results', 'it makes no uploads');
  const artifacts = copy.end?.input['artifacts'];
  const named: unknown[] = Array.isArray(artifacts) ? artifacts : [];
  const whole = uploads.find(({ id, complete, content }) => complete && content.equals(source.content) && named.some((one) => Object(one).uploadId === id));
  if (whole !== undefined) return verdicts.pass('results', `${whole.content.length} bytes became a file of the job`);
  const sizes = uploads.map(({ content, complete }) => `${content.length} bytes${complete ? '' : ', not complete'}`).join('; ');
  return verdicts.fail('results', `a file of ${source.content.length} bytes was sent (${sizes}), and the job ${describeEnd(copy)}`);
}
