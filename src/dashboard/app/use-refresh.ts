import { useEffect } from 'preact/hooks';
import { useNewest } from './use-newest.ts';

/**
 * Reads a screen's figures again: when the page is looked at again, and while it is looked at every so many seconds, for what no
 * subscription tells of. A hidden page asks for nothing.
 *
 * @param seconds null: only when it is looked at again
 */
export function useRefresh(reload: () => Promise<void>, seconds: number | null): void {
  const newest = useNewest(reload);
  useEffect(() => {
    let last = Date.now();
    let busy = false;
    const again = async () => {
      if (document.hidden || busy) return;
      busy = true;
      await newest.current();
      busy = false;
      last = Date.now();
    };
    // Focus and visibility come together where a window is brought to the front: once is enough.
    const seen = () => {
      if (Date.now() - last > 1_000) void again();
    };
    const timer = seconds === null ? undefined : setInterval(() => void again(), seconds * 1_000);
    document.addEventListener('visibilitychange', seen);
    addEventListener('focus', seen);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', seen);
      removeEventListener('focus', seen);
    };
  }, [seconds]);
}
