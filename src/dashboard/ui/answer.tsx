import type { ComponentChildren } from 'preact';
import { messageOf } from '../app/api.ts';
import type { Loaded } from '../app/use-query.ts';
import { Button } from './button.tsx';
import { Failure } from './failure.tsx';
import { Loading } from './loading.tsx';

/**
 * What was read, or that it is being read, or why it could not be. What was read before stays where it cannot be read again, and says so.
 *
 * @param rows room to keep while it is read for the first time
 */
export function Answer<Data>({ loaded: { data, error }, reload, rows = 8, children }: { loaded: Loaded<Data>; reload: () => Promise<void>; rows?: number; children: (data: Data) => ComponentChildren }) {
  const retry = () => void reload();
  if (data === null) return error === null ? <Loading rows={rows} /> : <Failure error={error} retry={retry} />;
  return (
    <>
      {error !== null && (
        <div class="warning row" role="alert">
          <span class="grow">This may be out of date. {messageOf(error)}</span>
          <Button onClick={retry}>Try again</Button>
        </div>
      )}
      {children(data)}
    </>
  );
}
