import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { subscribe } from '../app/api.ts';
import { whileWatched } from '../app/watched.ts';
import { type ListedBulkActionFragment, WatchBulkActionDocument } from '../generated/bulk.ts';

/** The actions as they are now: those that run are watched until they have ended. */
export function useLiveActions(read: readonly ListedBulkActionFragment[]): readonly ListedBulkActionFragment[] {
  const told = useSignal<Readonly<Record<string, ListedBulkActionFragment>>>({});
  const running = read.filter(({ status }) => status === 'RUNNING').map(({ id }) => id).toSorted().join(' ');
  useEffect(() => {
    const left = new AbortController();
    const watch = (id: string) =>
      whileWatched(left.signal, async (signal) => {
        for await (const { bulkActionProgress: action } of subscribe(WatchBulkActionDocument, { id }, { signal })) told.value = { ...told.value, [id]: action };
      });
    // What cannot be watched is read again with the list.
    for (const id of running.split(' ')) if (id !== '') watch(id).catch(() => undefined);
    return () => left.abort();
  }, [running]);
  return read.map((action) => {
    const heard = told.value[action.id];
    return heard !== undefined && action.status === 'RUNNING' && heard.seen >= action.seen ? heard : action;
  });
}
