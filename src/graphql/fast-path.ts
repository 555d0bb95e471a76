import { type ExecutionResult, getOperationAST, OperationTypeNode } from 'graphql';
import { isAsyncIterable, processRegularResult } from 'graphql-yoga';
import type { GraphQLContext } from './context.ts';
import { isTooLong } from './limits.ts';
import { type Params, parseParams, valueOf } from './params.ts';
import type { Yoga } from './yoga.ts';

/** An answer that is ready to be sent. */
export interface FastAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/**
 * Answers the plain case, a query or mutation in a POST of JSON, without Yoga's Fetch objects, which cost more than the
 * rest of a small query. Everything else is left to Yoga: what GraphQL over HTTP says is said by Yoga alone.
 */
export class FastPath {
  readonly #yoga: Yoga;

  constructor(yoga: Yoga) {
    this.#yoga = yoga;
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
    const result = await this.#execute(params, context);
    return result === null ? null : this.#render(result, mediaType);
  }

  async #execute(params: Params, context: GraphQLContext): Promise<ExecutionResult | null> {
    if (isTooLong(params.query)) return null;
    const envelope = this.#yoga.getEnveloped({ ...context, params });
    const document = valueOf(() => envelope.parse(params.query));
    if (document === null || !valueOf(() => envelope.validate(envelope.schema, document).length === 0)) return null;
    const operation = getOperationAST(document, params.operationName);
    if (operation == null || operation.operation === OperationTypeNode.SUBSCRIPTION) return null;

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

  async #render(result: ExecutionResult, mediaType: string): Promise<FastAnswer> {
    if (result.errors === undefined) return { status: 200, headers: { 'content-type': `${mediaType}; charset=utf-8` }, body: JSON.stringify(result) };
    // Which status goes with which errors, and what of them is shown, is Yoga's to say.
    const response = processRegularResult(result, this.#yoga.fetchAPI, mediaType);
    return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
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
