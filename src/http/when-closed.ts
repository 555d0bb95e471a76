import type { ServerResponse } from 'node:http';

/** Calls when the response is closed, at once where it is: whoever left while it was prepared causes no further event. */
export function whenClosed(response: ServerResponse, then: () => void): void {
  if (response.closed) then();
  else response.once('close', then);
}
