import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Failure } from '../ui/failure.tsx';
import { Loading } from '../ui/loading.tsx';

/** A screen, or a part of one, whose code is loaded when it first appears. */
export function lazyPart<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let known: ComponentType<Props> | null = null;
  return function LazyPart(props: Props) {
    const failed = useSignal(false);
    const there = useSignal(known !== null);
    const fetchPart = async () => {
      try {
        known ??= await load();
        there.value = true;
      } catch {
        failed.value = true;
      }
    };
    useEffect(() => void fetchPart(), []);
    // After an upgrade the old files are gone: only the page as a whole can be loaded again.
    if (failed.value) return <Failure error={new Error('This part could not be loaded. If the server was upgraded, load the page again.')} retry={() => location.reload()} />;
    if (!there.value || known === null) return <Loading />;
    const Part = known;
    return <Part {...props} />;
  };
}
