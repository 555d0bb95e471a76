import { type ExecutionResult, getOperationAST, OperationTypeNode } from 'graphql';
import { compileQuery } from 'graphql-jit';
import { isAsyncIterable, processRegularResult } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { RateLimitedError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { GraphQLContext } from './context.ts';
import { isTooLong } from './limits.ts';
import { isObject, type Params, parseParams, valueOf } from './params.ts';
import { publicError } from './public-error.ts';
import { countOperation } from './rate-limit.ts';
import { isWorkAlone } from './work-calls.ts';
import type { Yoga } from './yoga.ts';

/** An answer that is ready to be sent. */
export interface FastAnswer {
  status: number;
  contentType: string;
  body: string;
}

/** Documents that are remembered, by their text. */
const remembered = 1_000;

/** Uses after which a document is compiled: one that inlines its variables is never seen again. */
const warmUp = 2;

type Compiled = Extract<ReturnType<typeof compileQuery>, { query: unknown }>;

/** A query or mutation that Yoga has parsed and found valid. */
interface Operation {
  uses: number;
  /** Null before the warm-up, and where it cannot be compiled. */
  compiled: Compiled | null;
  /** Whether it is not counted against the rate limit. */
  isWork: boolean;
}

/**
 * Answers the plain case, a query or mutation in a POST of JSON, without Yoga's Fetch objects, which cost more than the
 * rest of a small query; and a document that comes again as a compiled function (graphql-jit), which takes lists at a
 * fraction of the time. Everything else is left to Yoga: what GraphQL over HTTP says is said by Yoga alone.
 */
export class FastPath {
  readonly #yoga: Yoga;
  readonly #log: Log;
  readonly #operations = new LRUCache<string, Operation>({ max: remembered });

  constructor(yoga: Yoga, log: Log) {
    this.#yoga = yoga;
    this.#log = log;
  }

  /**
   * Null means that nothing was carried out, so that the request can be handed over whole.
   *
   * @param accept the request's header
   */
  async answer(body: Buffer, accept: string | undefined, context: GraphQLContext): Promise<FastAnswer | null> {
    const mediaType = plainMediaType(accept);
    const params = mediaType === null ? null : parseParams(body);
    if (mediaType === null || params === null) return null;
    try {
      const result = await this.#execute(params, context);
      return result === null ? null : await this.#render(result, mediaType);
    } catch (error) {
      // Yoga has the words and the headers for it, and counts it as one more that is refused.
      if (error instanceof RateLimitedError) return null;
      throw error;
    }
  }

  async #execute(params: Params, context: GraphQLContext): Promise<ExecutionResult | null> {
    if (isTooLong(params.query)) return null;
    const key = `${params.operationName ?? ''} ${params.query}`;
    const known = this.#operations.get(key);
    // What a request says in `extensions` is for plugins.
    if (known?.compiled != null && params.extensions === undefined) {
      await countOperation(context, context.viewer, known.isWork);
      const { data, errors } = await known.compiled.query(null, context, params.variables ?? {});
      if (errors === undefined) return { data: recordOf(data) };
      // Without data, the variables could not be read and nothing was carried out: GraphQL's own words are better below.
      if (data !== undefined) return { errors: errors.map((error) => publicError(error, this.#log)), data: recordOf(data) };
    }
    const envelope = this.#yoga.getEnveloped({ ...context, params });
    const document = valueOf(() => envelope.parse(params.query));
    if (document === null || !valueOf(() => envelope.validate(envelope.schema, document).length === 0)) return null;
    const operation = getOperationAST(document, params.operationName);
    if (operation == null || operation.operation === OperationTypeNode.SUBSCRIPTION) return null;
    const isWork = known?.isWork ?? isWorkAlone(document, params.operationName);
    this.#remember(key, known ?? { uses: 0, compiled: null, isWork }, () =>
      compileQuery(envelope.schema, document, params.operationName),
    );

    const result = await envelope.execute({
      schema: envelope.schema,
      document,
      contextValue: await envelope.contextFactory(),
      variableValues: params.variables,
      operationName: params.operationName,
    });
    if (isAsyncIterable(result)) throw new Error('a query or mutation gave a stream');
    return result;
  }

  #remember(key: string, operation: Operation, compile: () => ReturnType<typeof compileQuery>): void {
    operation.uses += 1;
    this.#operations.set(key, operation);
    if (operation.uses !== warmUp) return;
    const compiled = compile();
    if ('query' in compiled) operation.compiled = compiled;
  }

  async #render(result: ExecutionResult, mediaType: string): Promise<FastAnswer> {
    if (result.errors === undefined) return { status: 200, contentType: mediaType, body: JSON.stringify(result) };
    // Which status goes with which errors, and what of them is shown, is Yoga's to say.
    const response = processRegularResult(result, this.#yoga.fetchAPI, mediaType);
    return { status: response.status, contentType: mediaType, body: await response.text() };
  }
}

/** The media type of the answer where the header leaves no doubt; null where it has to be weighed. */
function plainMediaType(accept: string | undefined): string | null {
  switch (accept) {
    case undefined:
    case '*/*':
    case 'application/json':
      return 'application/json';
    case 'application/graphql-response+json':
    // What clients over HTTP send for queries and mutations: Apollo, urql, graphql-http.
    case 'application/graphql-response+json, application/json':
    case 'application/graphql-response+json,application/json;q=0.9':
    case 'application/graphql-response+json, application/graphql+json, application/json':
      return 'application/graphql-response+json';
    default:
      return null;
  }
}

/** `data` of an answer: an object, or null where an error took it all. */
function recordOf(data: unknown): Record<string, unknown> | null {
  return isObject(data) ? data : null;
}
