import { type DocumentNode, execute, getOperationAST, type GraphQLError, OperationTypeNode } from 'graphql';
import { RateLimitedError } from '../errors.ts';
import type { Services } from '../services.ts';
import { authenticate, UnauthenticatedError } from '../workspaces/authenticate.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import { faultsOf, parseDocument, PreparedDocument } from './document.ts';
import { queryLimits, refuseTooLong, tooCostly } from './limits.ts';
import { type GraphQLRequest, Operation } from './operation.ts';
import { publicError } from './public-error.ts';
import { RememberedDocuments } from './remembered-documents.ts';
import { schema } from './schema.ts';
import { Turns } from './turns.ts';
import { isWorkAlone } from './work-calls.ts';

/** Who sends a request. */
export interface Sender {
  /** A key or a token; null where none was sent. */
  secret: string | null;
  /** Of the client, as far as TRUST_PROXY allows to tell it. */
  address: string;
}

/** Why a request is not carried out. */
export class Refusal {
  readonly errors: readonly GraphQLError[];
  /** Whether it says nothing against the document: another time, or with other variables, it may be carried out. */
  readonly isPassing: boolean;

  constructor(errors: readonly GraphQLError[], isPassing: boolean) {
    this.errors = errors;
    this.isPassing = isPassing;
  }
}

/**
 * The one way to carry out GraphQL over POST, GET, event streams and sockets: it knows the caller, counts the request,
 * parses, validates and prices the document, and hands over what graphql-js then runs.
 */
export class Operations {
  readonly #services: Services;
  readonly #turns = new Turns();
  readonly remembered = new RememberedDocuments();

  constructor(services: Services) {
    this.#services = services;
  }

  /**
   * Who asks; null without a secret. Calls without a key, and with one that does not exist, count against their address.
   *
   * @throws UNAUTHENTICATED, RATE_LIMITED
   */
  async caller({ secret, address }: Sender): Promise<Viewer | null> {
    if (secret === null) {
      await this.#countAddress(address);
      return null;
    }
    try {
      return await authenticate(this.#services, secret, 'NATIVE');
    } catch (error) {
      if (error instanceof UnauthenticatedError && error.why === 'unknown') await this.#countAddress(address);
      throw error;
    }
  }

  /** Everything from the caller to the execution. Never rejects. */
  async open(viewer: Viewer | null, request: GraphQLRequest): Promise<Operation | Refusal> {
    try {
      refuseTooLong(request.query, viewer === null);
      const document = await (viewer === null ? this.#readAnonymous(request) : this.#read(viewer, request));
      const prepared = document.operation(request.operationName);
      if (prepared === null) return this.refuse(unknownOperation(document, request));
      const cost = prepared.price.of(request.variables ?? {});
      if (cost !== null && cost > queryLimits.cost) return this.refuse([tooCostly(cost)], true);
      if (viewer !== null) this.remembered.add(document, viewer.apiKeyId);
      return new Operation(this.#services, { prepared, request, viewer, cost });
    } catch (error) {
      if (error instanceof InvalidDocument) return this.refuse(error.faults);
      return this.refuse([error], error instanceof RateLimitedError);
    }
  }

  refuse(errors: readonly unknown[], isPassing = false): Refusal {
    return new Refusal(errors.map((error) => publicError(error, this.#services.log)), isPassing);
  }

  /** Without a key nothing is looked up and nothing remembered: a document takes memory and time only while it is answered. */
  async #readAnonymous({ query }: GraphQLRequest): Promise<PreparedDocument> {
    await this.#turns.next('later');
    return this.#validated(query, parseDocument(query, queryLimits.anonymousTokens));
  }

  async #read(viewer: Viewer, { query, operationName }: GraphQLRequest): Promise<PreparedDocument> {
    const known = this.remembered.get(query);
    if (known !== undefined) {
      const operation = known.operation(operationName);
      if (operation === null || !isExempt(viewer, operation)) await this.#count(viewer);
      return known;
    }
    await this.#turns.next('first');
    const document = await this.#parsed(viewer, query, operationName);
    await this.#turns.next('first');
    return this.#validated(query, document);
  }

  /** Counted before anything that takes long, and also where it is no GraphQL. Only what was parsed can be exempt. */
  async #parsed(viewer: Viewer, query: string, operationName: string | null | undefined): Promise<DocumentNode> {
    let document: DocumentNode;
    try {
      document = parseDocument(query, queryLimits.tokens);
    } catch (error) {
      await this.#count(viewer);
      throw error;
    }
    const node = getOperationAST(document, operationName);
    const exempt = node != null && isExempt(viewer, { kind: node.operation, isWork: isWorkAlone(document, node) });
    if (!exempt) await this.#count(viewer);
    return document;
  }

  #validated(query: string, document: DocumentNode): PreparedDocument {
    const faults = faultsOf(schema, document, this.#services.config.introspection);
    if (faults.length > 0) throw new InvalidDocument(faults);
    return new PreparedDocument(schema, query, document);
  }

  async #count(viewer: Viewer): Promise<void> {
    const verdict = await this.#services.rateLimiter.consume(viewer);
    if (verdict?.allowed === false) throw new RateLimitedError('key', verdict);
  }

  async #countAddress(address: string): Promise<void> {
    const verdict = await this.#services.rateLimiter.consumeAddress(address);
    if (verdict?.allowed === false) throw new RateLimitedError('address', verdict);
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
 * Subscriptions have limits of their own: after a restart all watchers come back at once, and a refusal would end them. A
 * worker's heartbeat that is refused would cost an attempt.
 */
function isExempt({ scopes }: Viewer, { kind, isWork }: { kind: OperationTypeNode; isWork: boolean }): boolean {
  return kind === OperationTypeNode.SUBSCRIPTION || (isWork && (scopes.has('WORK') || scopes.has('WORK_ALL')));
}

/** In graphql-js's words: it finds no operation to carry out. */
function unknownOperation({ document }: PreparedDocument, { operationName }: GraphQLRequest): readonly GraphQLError[] {
  const result = execute({ schema, document, operationName });
  if ('errors' in result && result.errors !== undefined) return result.errors;
  throw new Error('an operation that could not be found was carried out');
}
