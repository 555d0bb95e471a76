import { type Exchange, makeErrorResult, makeOperation, makeResult, type Operation, type OperationResult, stringifyDocument } from '@urql/core';
import { filter, make, merge, mergeMap, pipe, takeUntil } from 'wonka';
import { type Carrier, carry } from '../carry.ts';

/**
 * Ends a chain of exchanges with a client: subscriptions go on across breaks, restarts and expired tokens, over what is let through, and
 * queries are tried again. The `networkError` of a result's error is an error of this package.
 */
export function longhaulExchange(client: Carrier): Exchange {
  return ({ client: urql, forward }) => (operations) => {
    const begun = filter(({ kind }: Operation) => kind !== 'teardown');
    const left = filter(({ kind }: Operation) => kind === 'teardown');
    const results = mergeMap((operation: Operation) => {
      // An operation without a result is left, or urql would wait for one.
      const leave = () => urql.reexecuteOperation(makeOperation('teardown', operation, operation.context));
      const torn = pipe(operations, left, filter(({ key }) => key === operation.key));
      return pipe(resultsOf(client, operation, leave), takeUntil(torn));
    });
    return merge([pipe(operations, begun, results), pipe(operations, left, forward)]);
  };
}

/** @param onNothing told where it ended without a result */
function resultsOf(client: Carrier, operation: Operation, onNothing: () => void) {
  const { kind, query, variables } = operation;
  return make<OperationResult>(({ next, complete }) => {
    let last: OperationResult | null = null;
    return carry(client, { kind, document: stringifyDocument(query), variables: { ...variables } }, {
      next: ({ data = null, errors }) => {
        last = makeResult(operation, { data, ...(errors === undefined ? {} : { errors: [...errors] }), hasNext: kind === 'subscription' });
        next(last);
      },
      error: (error) => {
        next(makeErrorResult(operation, error instanceof Error ? error : new Error(String(error))));
        complete();
      },
      complete: () => {
        if (last === null) onNothing();
        // As urql's own exchange tells that nothing follows.
        else if (last.hasNext) next({ ...last, hasNext: false });
        complete();
      },
    });
  });
}
