import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import type { ValidationRule } from 'graphql';
import { LonghaulError } from '../errors.ts';

/** Limits of one operation. Each catches a kind of excess that the others miss. */
export const queryLimits = {
  /** Length of a document, including comments, which the token limit does not count. */
  characters: 100_000,
  /** Large inputs belong in variables. */
  tokens: 4_000,
  /** For callers without a key. A tool's introspection query has 200 tokens; validation time is quadratic in their number. */
  anonymousCharacters: 64 * 1024,
  anonymousTokens: 1_000,
  /** The introspection of a tool costs about 17,000. While one is answered, everybody else waits. */
  anonymousCost: 20_000,
  /** Nesting of fields. */
  depth: 14,
  aliases: 50,
  /** Tools use none: aliases multiply what an introspection answers. */
  anonymousAliases: 5,
  directives: 50,
  /** Fields to resolve if every list were full. A page of 100 jobs with all their fields fits. */
  cost: 50_000,
} as const;

/** Checked before GraphQL's own validation rules, whose running time grows with what these limit. */
export function limitRules(isAnonymous: boolean): readonly ValidationRule[] {
  return [
    maxDepthRule({ n: queryLimits.depth, flattenFragments: true }),
    maxAliasesRule({ n: isAnonymous ? queryLimits.anonymousAliases : queryLimits.aliases }),
    maxDirectivesRule({ n: queryLimits.directives }),
  ];
}

/** Throws LIMIT_EXCEEDED. */
export function refuseTooLong(text: string, isAnonymous: boolean): void {
  const { characters, anonymousCharacters } = queryLimits;
  const limit = isAnonymous ? anonymousCharacters : characters;
  if (text.length <= limit) return;
  const advice = isAnonymous ? `Send a key to raise the limit to ${characters}.` : 'Put large inputs into variables.';
  throw new LonghaulError('LIMIT_EXCEEDED', `A document may have at most ${limit} characters. ${advice}`);
}

/** The error for an operation that costs too much; null if it does not. */
export function tooCostly(cost: number, isAnonymous: boolean): LonghaulError | null {
  const limit = isAnonymous ? queryLimits.anonymousCost : queryLimits.cost;
  if (cost <= limit) return null;
  const advice = isAnonymous ? `Send a key to raise the limit to ${queryLimits.cost}.` : 'Ask for smaller pages or fewer fields.';
  return new LonghaulError('LIMIT_EXCEEDED', `This would cost ${cost}; the limit is ${limit}. ${advice}`);
}
