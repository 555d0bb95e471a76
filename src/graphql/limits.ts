import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import type { ValidationRule } from 'graphql';
import { LonghaulError } from '../errors.ts';

/** What one operation may ask for. Each limit catches what the others do not see. */
export const queryLimits = {
  /** Of a document, comments included: comments are no tokens. */
  characters: 100_000,
  /** Large inputs belong into variables. */
  tokens: 4_000,
  /** The same without a key. The introspection of tools has 200 tokens, and validation takes the square of them. */
  anonymousCharacters: 64 * 1024,
  anonymousTokens: 1_000,
  /** Fields within fields. */
  depth: 14,
  aliases: 50,
  directives: 50,
  /** Fields that may have to be resolved, lists at full size. A page of 100 jobs with all their fields fits. */
  cost: 50_000,
} as const;

/** Checked before the rules of GraphQL itself, whose time grows with what these limit. */
export const limitRules: readonly ValidationRule[] = [
  maxDepthRule({ n: queryLimits.depth, flattenFragments: true }),
  maxAliasesRule({ n: queryLimits.aliases }),
  maxDirectivesRule({ n: queryLimits.directives }),
];

/** Throws LIMIT_EXCEEDED. */
export function refuseTooLong(text: string, isAnonymous: boolean): void {
  const { characters, anonymousCharacters } = queryLimits;
  const limit = isAnonymous ? anonymousCharacters : characters;
  if (text.length <= limit) return;
  const advice = isAnonymous ? `Send a key: with one it may have ${characters}.` : 'Put large inputs into variables.';
  throw new LonghaulError('LIMIT_EXCEEDED', `A document has at most ${limit} characters. ${advice}`);
}

/** What the author of too costly an operation is told. */
export function tooCostly(cost: number): LonghaulError {
  return new LonghaulError(
    'LIMIT_EXCEEDED',
    `This would cost ${cost}; the limit is ${queryLimits.cost}. Ask for smaller pages or fewer fields.`,
  );
}
