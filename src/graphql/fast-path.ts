import { getOperationAST, OperationTypeNode } from 'graphql';
import { isAsyncIterable, processRegularResult } from 'graphql-yoga';
import type { GraphQLContext } from './context.ts';
import type { Yoga } from './yoga.ts';

/** An answer that is ready to be sent. */
export interface FastAnswer {
  status: number;
  contentType: string;
  body: string;
}

/**
 * Answers the plain case, a query or mutation in a POST of JSON, without Yoga's Fetch objects, which cost more than the
 * rest of a small query. Everything else is left to Yoga: null means that nothing was carried out yet, so that the
 * request can be handed over whole. What GraphQL over HTTP says is therefore said by Yoga alone.
 *
 * @param accept the request's header
 */
export async function answerFast(
  yoga: Yoga,
  body: Buffer,
  accept: string | undefined,
  context: GraphQLContext,
): Promise<FastAnswer | null> {
  const mediaType = plainMediaType(accept);
  const params = mediaType === null ? null : parseParams(body);
  if (mediaType === null || params === null) return null;

  const envelope = yoga.getEnveloped({ ...context, params });
  const document = parsed(() => envelope.parse(params.query));
  // The limits refuse by throwing.
  const errors = document === null ? null : parsed(() => envelope.validate(envelope.schema, document));
  if (document === null || errors === null || errors.length > 0) return null;
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
  if (result.errors === undefined) return { status: 200, contentType: mediaType, body: JSON.stringify(result) };
  // Which status goes with which errors, and what of them is shown, is Yoga's to say.
  const response = processRegularResult(result, yoga.fetchAPI, mediaType);
  return { status: response.status, contentType: mediaType, body: await response.text() };
}

interface Params {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
  extensions?: Record<string, unknown>;
}

const known: ReadonlySet<string> = new Set(['query', 'variables', 'operationName', 'extensions']);

/** Null for whatever is not plainly well-formed. */
function parseParams(body: Buffer): Params | null {
  const params = parsed((): unknown => JSON.parse(body.toString()));
  if (!isObject(params) || Object.keys(params).some((name) => !known.has(name))) return null;
  const { query, variables, operationName, extensions } = params;
  if (typeof query !== 'string') return null;
  if (variables != null && !isObject(variables)) return null;
  if (operationName != null && typeof operationName !== 'string') return null;
  if (extensions != null && !isObject(extensions)) return null;
  return {
    query,
    ...(variables == null ? {} : { variables }),
    ...(operationName == null ? {} : { operationName }),
    ...(extensions == null ? {} : { extensions }),
  };
}

/** The media type of the answer where the header leaves no doubt; null where it has to be weighed. */
function plainMediaType(accept: string | undefined): string | null {
  switch (accept) {
    case undefined:
    case '*/*':
    case 'application/json':
      return 'application/json';
    case 'application/graphql-response+json':
    // What graphql-over-HTTP clients (Apollo, urql, Relay's examples) send for queries and mutations.
    case 'application/graphql-response+json, application/json':
    case 'application/graphql-response+json,application/json;q=0.9':
    case 'application/graphql-response+json, application/graphql+json, application/json':
      return 'application/graphql-response+json';
    default:
      return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
