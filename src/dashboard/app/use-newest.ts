import { useRef } from 'preact/hooks';

/** What was given at the newest render: for what outlives the render that it began in, such as an upload or a timer. */
export function useNewest<Value>(value: Value): { readonly current: Value } {
  const newest = useRef(value);
  newest.current = value;
  return newest;
}
