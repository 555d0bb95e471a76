import { globSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { CodegenConfig } from '@graphql-codegen/cli';

const types = {
  importExtension: '.ts',
  // Types are erased, not compiled.
  enumsAsTypes: true,
  useTypeImports: true,
  strictScalars: true,
  scalars: {
    DateTime: 'string',
    JSON: 'unknown',
    JSONObject: 'Record<string, unknown>',
    URL: 'string',
    BigInt: 'number',
  },
} as const;

/** One file for each folder of the page, so that a screen's documents are loaded with the screen. */
const documentsOfThePage = Object.fromEntries(
  [...new Set(globSync('src/dashboard/*/*.graphql').map(dirname))].toSorted().map((folder) => [
    `src/dashboard/generated/${basename(folder)}.ts`,
    {
      documents: `${folder}/*.graphql`,
      plugins: ['typescript-operations', 'typed-document-node'],
      // As strings, for which a browser needs no GraphQL library.
      config: { ...types, documentMode: 'string', dedupeFragments: true },
    },
  ]),
);

/** Typed documents of the operations that the tests and the page use: `npm run codegen` after a change of either. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  generates: {
    'test/graphql/generated/': {
      documents: 'test/graphql/*.graphql',
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: types,
    },
    ...documentsOfThePage,
  },
};

export default config;
