import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { client, noticed } from '../app/api.ts';
import { type ListedBulkActionFragment, WatchBulkActionDocument, type WatchBulkActionSubscription } from '../generated/bulk.ts';

/** The actions as they are now: those that run are watched until they have ended. */
export function useLiveActions(read: readonly ListedBulkActionFragment[]): readonly ListedBulkActionFragment[] {
  const told = useSignal<Readonly<Record<string, ListedBulkActionFragment>>>({});
  const running = read.filter(({ status }) => status === 'RUNNING').map(({ id }) => id).toSorted().join(' ');
  useEffect(() => {
    const leaving = new AbortController();
    const watch = async (id: string) => {
      try {
        const updates = client.subscribe<WatchBulkActionSubscription>(WatchBulkActionDocument.toString(), { id }, { signal: leaving.signal });
        for await (const { bulkActionProgress: action } of updates) told.value = { ...told.value, [id]: action };
      } catch (error) {
        // What cannot be watched is read again with the list.
        if (!leaving.signal.aborted) noticed(error);
      }
    };
    for (const id of running.split(' ')) if (id !== '') void watch(id);
    return () => leaving.abort();
  }, [running]);
  return read.map((action) => {
    const heard = told.value[action.id];
    return heard !== undefined && action.status === 'RUNNING' && heard.seen >= action.seen ? heard : action;
  });
}
