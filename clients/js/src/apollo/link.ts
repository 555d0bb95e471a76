import { ApolloLink, Observable } from '@apollo/client';
import { print } from '@apollo/client/utilities';
import { type Carrier, carry } from '../carry.ts';

/**
 * Ends a chain of links with a client: subscriptions go on across breaks, restarts and expired tokens, over what is let through, and
 * queries are tried again. Errors are those of this package.
 */
export class LonghaulLink extends ApolloLink {
  constructor(client: Carrier) {
    super(({ query, variables, operationType }) =>
      new Observable((observer) => carry(client, { kind: operationType, document: print(query), variables }, observer)));
  }
}
