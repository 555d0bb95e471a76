import {
  type DocumentNode,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LonghaulError } from '../errors.ts';
import { limitRules } from './limits.ts';
import { PreparedOperation } from './prepared-operation.ts';

/** Bytes that a token takes at most, with the nodes made of it (measured over documents of every shape). */
const bytesPerToken = 512;

/** A valid document: everything that is known of it before its variables are. */
export class PreparedDocument {
  readonly text: string;
  /** Memory that it takes, estimated from above. */
  readonly bytes: number;
  readonly #schema: GraphQLSchema;
  readonly #document: DocumentNode;
  readonly #operations = new Map<string, PreparedOperation>();

  constructor(schema: GraphQLSchema, text: string, document: DocumentNode) {
    this.#schema = schema;
    this.text = text;
    this.#document = document;
    this.bytes = 2 * text.length + bytesPerToken * countTokens(document);
  }

  get document(): DocumentNode {
    return this.#document;
  }

  /** Null where the name names none, or there are several to choose from. */
  operation(name: string | null | undefined): PreparedOperation | null {
    const key = name ?? '';
    const known = this.#operations.get(key);
    if (known !== undefined) return known;
    const node = getOperationAST(this.#document, name);
    if (node == null) return null;
    const operation = new PreparedOperation(this.#schema, this.text, this.#document, node);
    this.#operations.set(key, operation);
    return operation;
  }
}

/** Throws a GraphQLError for what is no GraphQL, and LIMIT_EXCEEDED. */
export function parseDocument(text: string, maxTokens: number): DocumentNode {
  try {
    return parse(text, { maxTokens });
  } catch (error) {
    // The parser calls itself for every bracket: the stack may end before the tokens do.
    if (error instanceof RangeError) throw tooLarge('it is nested too deeply');
    if (error instanceof GraphQLError && tooManyTokens.test(error.message)) {
      throw tooLarge(`it has more than ${maxTokens} words and signs`);
    }
    throw error;
  }
}

/** What is wrong with a document that was parsed; empty where it is valid. Throws LIMIT_EXCEEDED. */
export function faultsOf(schema: GraphQLSchema, document: DocumentNode, introspection: boolean): readonly GraphQLError[] {
  refuseTooLarge(schema, document);
  return validate(schema, document, introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule]);
}

function refuseTooLarge(schema: GraphQLSchema, document: DocumentNode): void {
  try {
    validate(schema, document, limitRules);
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge('it is nested too deeply');
    if (error instanceof GraphQLError) throw new LonghaulError('LIMIT_EXCEEDED', error.message.replace('Syntax Error: ', ''));
    throw error;
  }
}

/** graphql-js gives this refusal no code of its own. */
const tooManyTokens = /Document contains more that \d+ tokens/;

function tooLarge(why: string): LonghaulError {
  return new LonghaulError('LIMIT_EXCEEDED', `This document is too large: ${why}. Put large inputs into variables.`);
}

/** With comments, which the parser's own count leaves out although it keeps them. */
function countTokens({ loc }: DocumentNode): number {
  let count = 0;
  for (let token = loc?.startToken ?? null; token !== null; token = token.next) count += 1;
  return count;
}
