import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed documents of the operations that the tests use: `npm run codegen` after a change of either. */
const config: CodegenConfig = {
  schema: 'schema/schema.graphql',
  documents: 'test/graphql/*.graphql',
  generates: {
    'test/graphql/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
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
      },
    },
  },
};

export default config;
