import { useQuery } from '../app/use-query.ts';
import { href, route, setParams } from '../app/router.ts';
import { type ReadJobToRepeatQuery, ReadJobToRepeatDocument, ReadTypesDocument, type ReadTypesQuery } from '../generated/new-job.ts';
import { Answer } from '../ui/answer.tsx';
import { Empty } from '../ui/empty.tsx';
import { Field } from '../ui/field.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { type Beginning, scratch } from './beginning.ts';
import { NewJobForm } from './new-job-form.tsx';
import { noOptions, type Options } from './job-options.ts';
import './new-job.css';

/** `#/new?type=demo`: a job from scratch. `#/new?from=job_…`: one like another. */
export function Screen() {
  const from = route.value.params.get('from');
  const { loaded, reload } = useQuery(ReadTypesDocument, {});
  return (
    <ScreenFrame title={from === null ? 'New job' : 'Run again with changes'}>
      <Answer loaded={loaded} reload={reload}>
        {({ jobTypes }) => (from === null ? <Chosen types={jobTypes} beginning={scratch} /> : <Repeated key={from} id={from} types={jobTypes} />)}
      </Answer>
    </ScreenFrame>
  );
}

/** Reads the job that is to be repeated. */
function Repeated({ id, types }: { id: string; types: ReadTypesQuery['jobTypes'] }) {
  return (
    <Answer {...useQuery(ReadJobToRepeatDocument, { id })}>
      {({ job }) =>
        job === null ? (
          <Empty title="There is no such job">
            <a href={href(['new'])}>Begin from scratch</a>
          </Empty>
        ) : (
          <Chosen types={types} beginning={like(job)} />
        )
      }
    </Answer>
  );
}

function like(job: NonNullable<ReadJobToRepeatQuery['job']>): Beginning {
  const { id, type, input, tags, priority, maxAttempts, clientReference, concurrencyKey, concurrencyLimit } = job;
  const options: Options = {
    ...noOptions,
    tags: tags.join('\n'),
    priority: priority === 0 ? '' : String(priority),
    maxAttempts: String(maxAttempts),
    clientReference: clientReference ?? '',
    concurrencyKey: concurrencyKey ?? '',
    concurrencyLimit: concurrencyLimit === null ? '' : String(concurrencyLimit),
  };
  return { from: id, type, input, options };
}

/** The type, and the form that its schema makes. */
function Chosen({ types, beginning }: { types: ReadTypesQuery['jobTypes']; beginning: Beginning }) {
  const asked = route.value.params.get('type') ?? beginning.type;
  const type = types.find(({ name }) => name === asked) ?? null;
  return (
    <div class="new">
      <Field
        label="Type"
        error={asked !== null && type === null ? `There is no type ${asked} any more. Choose another one.` : null}
        hint={type === null ? 'What the job does.' : type.description}
      >
        {(field) => (
          <select {...field} value={type?.name ?? ''} onChange={({ currentTarget }) => setParams({ type: currentTarget.value || null }, { replace: true })}>
            <option value="">Choose a type</option>
            {types.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {type !== null && <NewJobForm key={type.name} type={type} beginning={beginning} />}
    </div>
  );
}
