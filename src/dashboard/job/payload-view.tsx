import { useSignal } from '@preact/signals';
import { query } from '../app/api.ts';
import { hidesSomething } from '../app/json-values.ts';
import { useQuery } from '../app/use-query.ts';
import { ReadInputDocument, ReadOutputDocument, RevealInputDocument } from '../generated/job.ts';
import { ActButton } from '../ui/act-button.tsx';
import { Answer } from '../ui/answer.tsx';
import { Button } from '../ui/button.tsx';
import { JsonTree } from '../ui/tree.tsx';

/** The input of a job, which both its tree and its copies are made of. */
export function useInput(id: string) {
  return useQuery(ReadInputDocument, { id });
}

/** The input, whose secrets are shown when they are asked for. */
export function Input({ id, loaded, reload }: { id: string } & ReturnType<typeof useInput>) {
  const revealed = useSignal<Record<string, unknown> | null>(null);
  const reveal = async () => {
    revealed.value = (await query(RevealInputDocument, { id })).revealInput;
  };
  const { value } = revealed;
  return (
    <Answer loaded={loaded} reload={reload} rows={3}>
      {({ job }) => (
        <>
          {hidesSomething(job?.input) && (
            <p class="row job-hidden">
              <span class="grow">{value === null ? 'Fields shown as ••• are secret. Showing them is noted in the audit.' : 'Secret fields are shown. This was noted in the audit.'}</span>
              {value === null ? <ActButton act={reveal}>Show</ActButton> : <Button onClick={() => (revealed.value = null)}>Hide</Button>}
            </p>
          )}
          {value === null ? <JsonTree json={job?.input ?? null} label="Input" /> : <JsonTree key="revealed" json={value} label="Input" />}
        </>
      )}
    </Answer>
  );
}

/** The output of a job that is COMPLETED. */
export function Output({ id }: { id: string }) {
  return (
    <Answer {...useQuery(ReadOutputDocument, { id })} rows={3}>
      {({ job }) => <JsonTree json={job?.output ?? null} label="Output" />}
    </Answer>
  );
}
