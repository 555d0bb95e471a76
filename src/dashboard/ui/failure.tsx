import { messageOf } from '../app/api.ts';
import { Button } from './button.tsx';

/** In place of what could not be read: why, and a way to try again. */
export function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <div class="failure" role="alert">
      <p>{messageOf(error)}</p>
      <Button onClick={retry}>Try again</Button>
    </div>
  );
}
