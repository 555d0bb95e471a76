import type { Client } from './client.ts';
import { dataOf, type Result } from './http.ts';
import { isRepeatable } from './mutate.ts';

/** What carries the operations of other GraphQL clients: a client, whatever it knows of its jobs. */
export type Carrier = Pick<Client, 'http' | 'subscribe'>;

interface CarriedOperation {
  /** query, mutation or subscription. */
  kind: string;
  document: string;
  variables: Record<string, unknown>;
}

interface Sink {
  next(result: Result): void;
  error(error: unknown): void;
  complete(): void;
}

/**
 * Runs it with the client's tokens, tries and transports. What has no data is told as an error of this package; data beside errors is passed
 * on as it is.
 *
 * @returns leaves it: nothing is told any more
 */
export function carry(client: Carrier, operation: CarriedOperation, sink: Sink): () => void {
  const leaving = new AbortController();
  const { signal } = leaving;
  run(client, operation, signal, sink).then(
    () => signal.aborted || sink.complete(),
    (error: unknown) => signal.aborted || sink.error(error),
  );
  return () => leaving.abort();
}

async function run(client: Carrier, { kind, document, variables }: CarriedOperation, signal: AbortSignal, sink: Sink): Promise<void> {
  if (kind === 'subscription') {
    for await (const data of client.subscribe(document, variables, { signal })) sink.next({ data });
    return;
  }
  const result = await client.http.result<Record<string, unknown>>(document, variables, signal, { repeatable: isRepeatable(kind === 'mutation', variables) });
  sink.next(result.data == null ? { data: dataOf(result) } : result);
}
