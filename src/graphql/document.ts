import {
  type ASTVisitor,
  type DocumentNode,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  type ValidationContext,
  ValuesOfCorrectTypeRule,
} from 'graphql';
import { LonghaulError } from '../errors.ts';
import { limitRules } from './limits.ts';
import { isMutationInput } from './mutation-input.ts';
import { PreparedOperation } from './prepared-operation.ts';
import { withSentVariables, type WithSentVariables } from './sent-variables.ts';

/** Upper bound of the memory that one token takes together with its AST nodes (measured over documents of every shape). */
const bytesPerToken = 512;

/** A valid document, with everything that can be computed before its variables are known. */
export class PreparedDocument {
  readonly text: string;
  /** Upper bound of the memory that it takes. */
  readonly bytes: number;
  readonly #sent: WithSentVariables;
  readonly #operations = new Map<string | null, PreparedOperation>();

  constructor(schema: GraphQLSchema, text: string, document: DocumentNode) {
    this.text = text;
    this.#sent = withSentVariables(schema, document);
    this.bytes = 2 * text.length + bytesPerToken * countTokens(document);
  }

  get document(): DocumentNode {
    return this.#sent.document;
  }

  /** Null if no operation has this name, or if there is no name and the document has several operations. */
  operation(name: string | null | undefined): PreparedOperation | null {
    const key = name ?? null;
    const known = this.#operations.get(key);
    if (known !== undefined) return known;
    const node = getOperationAST(this.document, name);
    if (node == null) return null;
    const operation = new PreparedOperation(this.text, this.#sent, node);
    this.#operations.set(key, operation);
    return operation;
  }
}

/** Throws a GraphQLError for a syntax error, and LIMIT_EXCEEDED for a document that is too large. */
export function parseDocument(text: string, maxTokens: number): DocumentNode {
  try {
    return parse(text, { maxTokens });
  } catch (error) {
    // The parser recurses on every bracket, so the stack may overflow before the token limit is reached.
    if (error instanceof RangeError) throw tooLarge('it is nested too deeply');
    if (error instanceof GraphQLError && tooManyTokens.test(error.message)) {
      throw tooLarge(`it has more than ${maxTokens} words and signs`);
    }
    throw error;
  }
}

/** Each fault is compared with every name of the schema to suggest one, so a thousand of them would take a second. */
const mostFaults = 20;

/** Validates a parsed document; empty if it is valid. Throws LIMIT_EXCEEDED. */
export function faultsOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  { introspection, isAnonymous }: { introspection: boolean; isAnonymous: boolean },
): readonly GraphQLError[] {
  refuseTooLarge(schema, document, isAnonymous);
  const rules = introspection ? documentRules : [...documentRules, NoSchemaIntrospectionCustomRule];
  return validate(schema, document, rules, { maxErrors: mostFaults });
}

/** GraphQL's own rules, but for the values in inputs of mutations: the mutation refuses those, as it does in variables. */
const documentRules = specifiedRules.map((rule) => (rule === ValuesOfCorrectTypeRule ? valuesOutsideInputs : rule));

function valuesOutsideInputs(context: ValidationContext): ASTVisitor {
  return {
    ...ValuesOfCorrectTypeRule(context),
    Argument: (node) => (isMutationInput(node, context, context.getSchema()) ? false : undefined),
  };
}

function refuseTooLarge(schema: GraphQLSchema, document: DocumentNode, isAnonymous: boolean): void {
  try {
    validate(schema, document, limitRules(isAnonymous));
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge('it is nested too deeply');
    if (error instanceof GraphQLError) throw new LonghaulError('LIMIT_EXCEEDED', error.message.replace('Syntax Error: ', ''));
    throw error;
  }
}

/** graphql-js gives this error no code. */
const tooManyTokens = /Document contains more that \d+ tokens/;

function tooLarge(why: string): LonghaulError {
  return new LonghaulError('LIMIT_EXCEEDED', `This document is too large: ${why}. Put large inputs into variables.`);
}

/** Includes comments: the parser keeps them in memory but does not count them. */
function countTokens({ loc }: DocumentNode): number {
  let count = 0;
  for (let token = loc?.startToken ?? null; token !== null; token = token.next) count += 1;
  return count;
}
