import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { query, type TypedDocument } from './api.ts';

/** What became of a read. `data` stays while it is read again, so that nothing jumps. */
export interface Loaded<Data> {
  data: Data | null;
  error: Error | null;
  /** Whether it is being read now. */
  busy: boolean;
}


/** Reads a document when the component appears, and again when its variables change. */
export function useQuery<Data, Variables extends object>(
  document: TypedDocument<Data, Variables>,
  variables: Variables,
  { skip = false }: { skip?: boolean } = {},
): { loaded: Loaded<Data>; reload: () => Promise<void> } {
  const state = useSignal<Loaded<Data>>({ data: null, error: null, busy: !skip });
  const key = `${document.toString()} ${JSON.stringify(variables)}`;
  const newest = useRef<AbortController | null>(null);
  const reload = useMemo(
    () => async () => {
      newest.current?.abort();
      const controller = new AbortController();
      newest.current = controller;
      state.value = { ...state.value, busy: true };
      try {
        const data = await query(document, variables, { signal: controller.signal });
        if (newest.current === controller) state.value = { data, error: null, busy: false };
      } catch (error) {
        if (newest.current === controller) {
          state.value = { ...state.value, error: error instanceof Error ? error : new Error(String(error)), busy: false };
        }
      }
    },
    [key],
  );
  useEffect(() => {
    if (skip) return undefined;
    void reload();
    return () => {
      newest.current?.abort();
      newest.current = null;
    };
  }, [reload, skip]);
  return { loaded: state.value, reload };
}
