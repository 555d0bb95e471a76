import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { messageOf, query } from '../app/api.ts';
import { hidesSomething } from '../app/json-values.ts';
import { notify } from '../app/notice.tsx';
import { ReadInputDocument, ReadOutputDocument, RevealInputDocument } from '../generated/job.ts';
import { Button } from '../ui/button.tsx';
import { Failure } from '../ui/failure.tsx';
import { Loading } from '../ui/loading.tsx';
import { JsonTree } from '../ui/tree.tsx';

/** A job's input or output. `value` is undefined until it was read. */
export interface JobPayload {
  value: unknown;
  error: unknown;
  retry: () => void;
}

/** Reads the job's input or output. @param version read again where it grows */
export function usePayload(id: string, part: 'input' | 'output', version: number): JobPayload {
  const state = useSignal<{ value: unknown; error: unknown }>({ value: undefined, error: null });
  const round = useSignal(0);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const read = async () => {
      const value = part === 'input' ? (await query(ReadInputDocument, { id }, { signal })).job?.input : (await query(ReadOutputDocument, { id }, { signal })).job?.output;
      if (!signal.aborted) state.value = { value: value ?? null, error: null };
    };
    read().catch((error: unknown) => {
      if (!signal.aborted) state.value = { value: undefined, error };
    });
    return () => controller.abort();
  }, [id, part, version, round.value]);
  const retry = useMemo(() => () => void (round.value += 1), [round]);
  return { ...state.value, retry };
}

export function Payload({ payload: { value, error, retry }, label }: { payload: JobPayload; label: string }) {
  if (error !== null) return <Failure error={error} retry={retry} />;
  return value === undefined ? <Loading rows={3} /> : <JsonTree json={value} label={label} />;
}

/** The input, whose secrets are shown when they are asked for. */
export function Input({ id, payload }: { id: string; payload: JobPayload }) {
  const revealed = useSignal<Record<string, unknown> | null>(null);
  const busy = useSignal(false);
  const reveal = async () => {
    busy.value = true;
    try {
      revealed.value = (await query(RevealInputDocument, { id })).revealInput;
    } catch (error) {
      notify(messageOf(error), { kind: 'failed' });
    }
    busy.value = false;
  };
  const { value } = revealed;
  const hides = hidesSomething(payload.value);
  return (
    <>
      {hides && (
        <p class="row job-hidden">
          <span class="grow">{value === null ? 'Fields shown as ••• are secret. Showing them is noted in the audit.' : 'Secret fields are shown. This was noted in the audit.'}</span>
          {value === null ? (
            <Button busy={busy.value} onClick={() => void reveal()}>
              Show
            </Button>
          ) : (
            <Button onClick={() => (revealed.value = null)}>Hide</Button>
          )}
        </p>
      )}
      {value === null ? <Payload payload={payload} label="Input" /> : <JsonTree key="revealed" json={value} label="Input" />}
    </>
  );
}
