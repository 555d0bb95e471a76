import { type DocumentNode, execute, getOperationAST, type GraphQLError, OperationTypeNode } from 'graphql';
import { Turns } from '../concurrency/turns.ts';
import { RateLimitedError } from '../errors.ts';
import type { Verdict } from '../rate-limit/rate-limiter.ts';
import type { Services } from '../services.ts';
import { authenticate, authenticateSession, UnauthenticatedError } from '../workspaces/authenticate.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import { faultsOf, parseDocument, PreparedDocument } from './document.ts';
import { unreadable } from './job-content.ts';
import { queryLimits, refuseTooLong, tooCostly } from './limits.ts';
import { type GraphQLRequest, Operation } from './operation.ts';
import { KeysFirst } from './keys-first.ts';
import { publicError } from './public-error.ts';
import { RememberedDocuments } from './remembered-documents.ts';
import { refuseRoundedIds } from './rounded-id.ts';
import { schema } from './schema.ts';
import { isWorkAlone } from './work-calls.ts';

/** The sender of a request. */
export interface Sender {
  /** A key or access token; null if none was sent. */
  secret: string | null;
  /** The session of our own page; counts only without a secret. */
  session: string | null;
  /** The client's address, as TRUST_PROXY lets us determine it. */
  address: string;
}

/** Why a request is not executed. */
export class Refusal {
  readonly errors: readonly GraphQLError[];
  /** Whether the document itself is fine: it may run later, or with other variables. */
  readonly isPassing: boolean;

  constructor(errors: readonly GraphQLError[], isPassing: boolean) {
    this.errors = errors;
    this.isPassing = isPassing;
  }
}

/**
 * The one path to execution for POST, GET, event streams and sockets: authenticates the caller, counts the request, parses,
 * validates and prices the document, and returns the operation for graphql-js to run.
 */
export class Operations {
  readonly #services: Services;
  readonly #turns = new Turns(new KeysFirst());
  readonly remembered = new RememberedDocuments();

  constructor(services: Services) {
    this.#services = services;
  }

  /**
   * Finds the caller; null without a secret or session. Requests without a key, or with an unknown one, count against their address.
   *
   * @throws UNAUTHENTICATED, RATE_LIMITED
   */
  async caller({ secret, session, address }: Sender): Promise<Viewer | null> {
    try {
      if (secret !== null) return await authenticate(this.#services, { secret, address }, 'NATIVE');
      if (session !== null) return await authenticateSession(this.#services, { secret: session, address });
    } catch (error) {
      if (error instanceof UnauthenticatedError && error.why === 'unknown') await this.countAddress(address);
      throw error;
    }
    await this.countAddress(address);
    return null;
  }

  /** Does everything between authentication and execution. Never rejects. */
  async open(viewer: Viewer | null, request: GraphQLRequest): Promise<Operation | Refusal> {
    try {
      refuseTooLong(request.query, viewer === null);
      const document = await (viewer === null ? this.#readAnonymous(request) : this.#read(viewer, request));
      const prepared = document.operation(request.operationName);
      if (prepared === null) return this.refuse(unknownOperation(document, request));
      if (viewer !== null && !viewer.scopes.has('READ') && prepared.content !== null) throw unreadable(prepared.content);
      const variables = prepared.variables(request.variables ?? {});
      refuseRoundedIds(prepared.schema, prepared.node, variables);
      const cost = prepared.price.of(variables);
      const refusal = cost === null ? null : tooCostly(cost, viewer === null);
      if (refusal !== null) return this.refuse([refusal], true);
      if (viewer !== null) this.remembered.add(document, viewer.apiKeyId);
      return new Operation(this.#services, { prepared, request, viewer, cost });
    } catch (error) {
      if (error instanceof InvalidDocument) return this.refuse(error.faults);
      return this.refuse([error], error instanceof RateLimitedError);
    }
  }

  refuse(errors: readonly unknown[], isPassing = false): Refusal {
    return new Refusal(errors.map((error) => publicError(error, this.#services)), isPassing);
  }

  /** Callers without a key do not use the document cache, so they cannot occupy its memory. */
  async #readAnonymous({ query }: GraphQLRequest): Promise<PreparedDocument> {
    await this.#turns.next('anonymous');
    const document = this.#validated(query, parseDocument(query, queryLimits.anonymousTokens), true);
    // What runs without a key is introspection, which takes as long again.
    await this.#turns.next('anonymous');
    return document;
  }

  async #read(viewer: Viewer, { query, operationName }: GraphQLRequest): Promise<PreparedDocument> {
    const known = this.remembered.get(query);
    if (known !== undefined) {
      const operation = known.operation(operationName);
      if (operation === null || !isExempt(viewer, operation)) await this.count(viewer);
      return known;
    }
    await this.#turns.next('key');
    const document = await this.#parsed(viewer, query, operationName);
    await this.#turns.next('begun');
    return this.#validated(query, document, false);
  }

  /** Counts the request before any slow step, syntax errors included. Only a parsed document can be exempt. */
  async #parsed(viewer: Viewer, query: string, operationName: string | null | undefined): Promise<DocumentNode> {
    let document: DocumentNode;
    try {
      document = parseDocument(query, queryLimits.tokens);
    } catch (error) {
      await this.count(viewer);
      throw error;
    }
    const node = getOperationAST(document, operationName);
    const exempt = node != null && isExempt(viewer, { kind: node.operation, isWork: isWorkAlone(document, node) });
    if (!exempt) await this.count(viewer);
    return document;
  }

  #validated(query: string, document: DocumentNode, isAnonymous: boolean): PreparedDocument {
    const { introspection } = this.#services.config;
    const faults = faultsOf(schema, document, { introspection, isAnonymous });
    if (faults.length > 0) throw new InvalidDocument(faults);
    return new PreparedDocument(schema, query, document);
  }

  /** Counts a request of the viewer. @throws RATE_LIMITED */
  async count(viewer: Viewer): Promise<void> {
    const verdict = await this.#services.rateLimiter.consume(viewer);
    if (verdict?.allowed === false) throw tooManyRequests(viewer.restriction === null ? 'key' : 'token', verdict);
  }

  /** Counts a request without a valid key. @throws RATE_LIMITED */
  async countAddress(address: string): Promise<void> {
    const verdict = await this.#services.rateLimiter.consumeAddress(address);
    if (verdict?.allowed === false) throw tooManyRequests('address', verdict);
  }
}

class InvalidDocument extends Error {
  readonly faults: readonly GraphQLError[];

  constructor(faults: readonly GraphQLError[]) {
    super('invalid document');
    this.faults = faults;
  }
}

/**
 * Subscriptions have their own limits: after a restart all watchers reconnect at once, and an error would end them for good.
 * Refusing a worker's heartbeat could cost the job an attempt.
 */
function isExempt({ scopes }: Viewer, { kind, isWork }: { kind: OperationTypeNode; isWork: boolean }): boolean {
  return kind === OperationTypeNode.SUBSCRIPTION || (isWork && (scopes.has('WORK') || scopes.has('WORK_ALL')));
}

/** Lets graphql-js report that there is no such operation. */
function unknownOperation({ document }: PreparedDocument, { operationName }: GraphQLRequest): readonly GraphQLError[] {
  const result = execute({ schema, document, operationName });
  if ('errors' in result && result.errors !== undefined) return result.errors;
  throw new Error('graphql-js executed an operation that getOperationAST did not find');
}

/** Who may make no more requests, as messages name them. */
const limited = {
  key: 'This key may make',
  token: 'Access tokens for the same job or tag, or made with the same key, may together make',
  address: 'Without a valid key, this address may make',
};

function tooManyRequests(whose: keyof typeof limited, { limit, retryAfter }: Verdict): RateLimitedError {
  return new RateLimitedError(`${limited[whose]} ${limit} requests a minute.`, retryAfter);
}
