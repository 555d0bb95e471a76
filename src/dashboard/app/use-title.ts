import { useEffect } from 'preact/hooks';

/** The title of the page while a component is there: `Jobs · Longhaul`. The innermost one's counts. */
export function useTitle(title: string): void {
  useEffect(() => {
    const before = document.title;
    document.title = `${title} · Longhaul`;
    return () => {
      document.title = before;
    };
  }, [title]);
}
