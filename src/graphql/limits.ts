import { EnvelopArmor } from '@escape.tech/graphql-armor';
import { complexityFromQuery } from '@pothos/plugin-complexity';
import { type ExecutionArgs, GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { type ErrorCode, LonghaulError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { GraphQLContext } from './context.ts';
import { publicError } from './public-error.ts';

/** What one operation may ask for. Each of these catches what the others do not see. */
export const queryLimits = {
  /** Of the document, comments and all. */
  characters: 100_000,
  /** Words and signs of the document; large inputs belong into variables. */
  tokens: 4_000,
  /** Fields within fields. */
  depth: 14,
  aliases: 50,
  directives: 50,
  /** Fields that may have to be resolved, lists at their full size: a page of 100 jobs with all there is to them fits. */
  cost: 50_000,
} as const;

/** What the author of too costly an operation is told. */
export function tooCostly(cost: number): LonghaulError {
  return new LonghaulError(
    'LIMIT_EXCEEDED',
    `This would cost ${cost}; at most ${queryLimits.cost} are taken. Ask for smaller pages or fewer fields.`,
  );
}

/** Whether a document is longer than is read; what is read is remembered, and its comments are no tokens. */
export function isTooLong(query: unknown): boolean {
  return typeof query === 'string' && query.length > queryLimits.characters;
}

/** What the author of such a document is told. */
export function tooLong(): LonghaulError {
  return new LonghaulError(
    'LIMIT_EXCEEDED',
    `A document has at most ${queryLimits.characters} characters. Put large inputs into variables.`,
  );
}

/** Refuses documents that are too long before anything is done with them. */
export function lengthPlugin(log: Log): Plugin {
  return {
    onParams: ({ params, setResult }) => {
      if (isTooLong(params.query)) setResult({ errors: [publicError(tooLong(), log, { status: 400, spec: true })] });
    },
  };
}

/** Cost of counting a list; like all in a connection it counts once for each row of the page. */
export const countCost = 10;

/**
 * Tokens, depth, aliases and directives by graphql-armor, which sees the document alone; cost by Pothos's complexity
 * plugin (see the builder), which knows the arguments.
 */
export function limitPlugins() {
  const { tokens, depth, aliases, directives } = queryLimits;
  const { plugins } = new EnvelopArmor({
    maxTokens: { n: tokens },
    maxDepth: { n: depth, flattenFragments: true },
    maxAliases: { n: aliases },
    maxDirectives: { n: directives },
    // Pothos counts the cost; and whoever misspells a field is better helped than left alone.
    costLimit: { enabled: false },
    blockFieldSuggestion: { enabled: false },
  }).protect();
  return plugins;
}

/** The parser descends for every bracket: within the tokens allowed there is room for more than its stack holds. */
export function nestingPlugin(): Plugin {
  return {
    onParse: () => ({ result, replaceParseResult }) => {
      if (!(result instanceof RangeError)) return;
      replaceParseResult(new GraphQLError('Syntax Error: Query depth limit exceeded: it is nested too deeply.'));
    },
  };
}

/** Refuses to tell the schema, for INTROSPECTION=false. */
export function introspectionPlugin(): Plugin {
  return { onValidate: ({ addValidationRule }) => addValidationRule(NoSchemaIntrospectionCustomRule) };
}

/** The table of errors knows one code for a document that cannot be read; Yoga has one of its own. */
export function validationCodePlugin(): Plugin {
  return {
    onValidate: () => ({ valid, result }) => {
      if (valid) return;
      for (const error of result) error.extensions['code'] = 'BAD_USER_INPUT' satisfies ErrorCode;
    },
  };
}

/**
 * The status of a document that cannot be parsed: Yoga says it only when it parses for a request of its own, and keeps
 * the error. Over the fast path or a socket the same document would get the status 200 from then on.
 */
export function syntaxStatusPlugin(): Plugin {
  return {
    onParse: () => ({ result }) => {
      if (result instanceof GraphQLError) result.extensions['http'] ??= { status: 400, spec: true };
    },
  };
}

/** `{"extensions": {"cost": true}}` in a request gets `extensions.cost` in its answer. */
export function costPlugin(): Plugin<GraphQLContext & { params?: { extensions?: Record<string, unknown> } }> {
  return {
    onExecute: ({ args }) => {
      if (args.contextValue.params?.extensions?.['cost'] !== true) return undefined;
      return {
        onExecuteDone: ({ result, setResult }) => {
          if (isAsyncIterable(result)) return;
          const cost = { complexity: costOf(args, args.contextValue), limit: queryLimits.cost };
          setResult({ ...result, extensions: { ...result.extensions, cost } });
        },
      };
    },
  };
}

function costOf({ document, schema, variableValues }: ExecutionArgs, ctx: object): number {
  return complexityFromQuery(document, { schema, ctx, variables: { ...variableValues } }).complexity;
}
