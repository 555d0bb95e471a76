import type { UploadedFile } from './uploaded-file.ts';

/** Where nothing is said of the types: any input, and an output that has yet to be looked at. */
export type AnyJobs = Record<string, { input: Record<string, unknown>; output: unknown }>;

/** The input that a type takes; of `Jobs` as `npx @longhaul/client types` makes it from the server. */
export type InputOf<Jobs, Type extends keyof Jobs> = Jobs[Type] extends { input: infer Input } ? Input : Record<string, unknown>;

/** The output that a type declares. */
export type OutputOf<Jobs, Type extends keyof Jobs> = Jobs[Type] extends { output: infer Output } ? Output : unknown;

/** An input as it may be given: wherever it has a text, a file, which is uploaded first. */
export type Sendable<Input> = Input extends string
  ? Input | Blob | UploadedFile
  : Input extends readonly (infer Item)[]
    ? Sendable<Item>[]
    : Input extends object
      ? { [Name in keyof Input]: Sendable<Input[Name]> }
      : Input;

/** A schema of any library that keeps to Standard Schema (standardschema.dev), such as zod. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined }[] };

/** Schemas by name of the type: inputs are checked before they are sent. */
export type JobSchemas = { [type: string]: { input: StandardSchema; output?: StandardSchema } };

type TypesOf<Schema> = Schema extends StandardSchema ? NonNullable<Schema['~standard']['types']> : { input: unknown; output: unknown };

/** The shapes that schemas say. */
export type ShapesOf<Schemas extends JobSchemas> = {
  [Type in keyof Schemas]: { input: TypesOf<Schemas[Type]['input']>['input']; output: TypesOf<Schemas[Type]['output']>['output'] };
};
