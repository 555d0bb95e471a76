import { useSignal } from '@preact/signals';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { query, type TypedDocument } from './api.ts';
import { useNewest } from './use-newest.ts';

/** What became of a read. `data` stays while it is read again, so that nothing jumps. */
export interface Loaded<Data> {
  data: Data | null;
  error: Error | null;
}

/**
 * Reads a document when the component appears, and again when its variables change.
 *
 * @returns `reload` reads by the variables of the newest render, whenever it was taken; it throws nothing
 */
export function useQuery<Data, Variables extends object>(
  document: TypedDocument<Data, Variables>,
  variables: Variables,
  { skip = false }: { skip?: boolean } = {},
): { loaded: Loaded<Data>; reload: () => Promise<void> } {
  const state = useSignal<Loaded<Data>>({ data: null, error: null });
  const asked = useNewest({ document, variables });
  const reading = useRef<AbortController | null>(null);
  const gone = useRef(false);
  const reload = useCallback(async () => {
    reading.current?.abort();
    // What was begun on a screen may end after it was left.
    if (gone.current) return;
    const controller = new AbortController();
    reading.current = controller;
    try {
      const data = await query(asked.current.document, asked.current.variables, { signal: controller.signal });
      if (reading.current === controller) state.value = { data, error: null };
    } catch (error) {
      if (reading.current === controller && !gone.current) state.value = { ...state.value, error: error instanceof Error ? error : new Error(String(error)) };
    }
  }, []);
  const key = `${document.toString()} ${JSON.stringify(variables)}`;
  useEffect(() => {
    if (!skip) void reload();
  }, [key, skip]);
  useEffect(
    () => () => {
      gone.current = true;
      reading.current?.abort();
    },
    [],
  );
  return { loaded: state.value, reload };
}
