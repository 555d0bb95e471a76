import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Failure } from '../ui/failure.tsx';
import { Loading } from '../ui/loading.tsx';
import { answering, ask } from './api.ts';

/** While the server is away a part is tried again so often, in milliseconds. */
const retryEvery = 3_000;

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
        // An import does not say whether the server is away or the file gone.
        await answers();
        failed.value = true;
      }
    };
    useEffect(() => void fetchPart(), []);
    const isAway = failed.value && !answering.value;
    useEffect(() => {
      if (there.value || !isAway) return undefined;
      const timer = setInterval(() => void fetchPart(), retryEvery);
      return () => clearInterval(timer);
    }, [isAway, there.value]);
    if (there.value && known !== null) {
      const Part = known;
      return <Part {...props} />;
    }
    if (!failed.value) return <Loading />;
    // After an upgrade the old files are gone: only the page as a whole can be loaded again, and only where somebody answers.
    const retry = async () => {
      await fetchPart();
      if (!there.value && (await answers())) location.reload();
    };
    const why = isAway ? 'The server could not be reached. This part comes as soon as it is heard.' : 'This part could not be loaded. If the server was upgraded, load the page again.';
    return <Failure error={new Error(why)} retry={() => void retry()} />;
  };
}

async function answers(): Promise<boolean> {
  try {
    await ask('.', { method: 'HEAD' });
    return true;
  } catch {
    return false;
  }
}
