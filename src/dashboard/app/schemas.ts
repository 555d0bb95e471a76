import { isJsonRecord } from './json-values.ts';

/* What forms and tables read of a JSON Schema. Only references within the schema are followed. */

export type Schema = Readonly<Record<string, unknown>>;

/** A schema may contain itself. More than once within itself it is not looked into. */
const mostWithinItself = 2;

/** How deep it is looked into at all. */
const deepest = 12;

/** A place in a schema. */
export class SchemaPlace {
  /** With its reference followed: what stands beside the reference goes first. */
  readonly schema: Schema;
  /** Whether what is inside is not looked into: it is too deep, or within itself again. */
  readonly isClosed: boolean;
  readonly #root: unknown;
  /** The references that were followed from the root to here. */
  readonly #through: readonly string[];
  readonly #depth: number;

  private constructor(given: unknown, root: unknown, through: readonly string[], depth: number) {
    const followed = [...through];
    this.schema = resolved(given, root, followed);
    this.#root = root;
    this.#through = followed;
    this.#depth = depth;
    this.isClosed = depth >= deepest || followed.some((one) => followed.filter((other) => other === one).length > mostWithinItself);
  }

  static root(schema: unknown): SchemaPlace {
    return new SchemaPlace(schema, schema, ['#'], 0);
  }

  /** A schema that stands in this one, one level deeper. */
  inside(schema: unknown): SchemaPlace {
    return new SchemaPlace(schema, this.#root, this.#through, this.#depth + 1);
  }

  /** What may stand here, where it is one of several (`anyOf`, `oneOf`). */
  choices(): SchemaPlace[] {
    const choices = this.schema['anyOf'] ?? this.schema['oneOf'];
    return Array.isArray(choices) && !this.isClosed ? choices.filter(isJsonRecord).map((choice) => this.inside(choice)) : [];
  }

  /** Where null stands beside one other: the other. Else this one. */
  withoutNull(): SchemaPlace {
    const others = this.choices().filter(({ schema }) => schema['type'] !== 'null');
    const [only] = others;
    return only !== undefined && others.length === 1 ? only : this;
  }
}

/** Follows `$ref`. @param through where the references that are followed are put */
function resolved(schema: unknown, root: unknown, through: string[]): Schema {
  if (!isJsonRecord(schema)) return {};
  const { $ref: reference, ...beside } = schema;
  if (typeof reference !== 'string') return schema;
  // References may lead in a circle.
  const again = through.filter((one) => one === reference).length > mostWithinItself;
  if (again || !/^#(\/|$)/.test(reference)) return beside;
  through.push(reference);
  return { ...resolved(targetOf(reference, root), root, through), ...beside };
}

function targetOf(reference: string, root: unknown): unknown {
  let target = root;
  for (const part of reference.split('/').slice(1)) {
    const name = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (isJsonRecord(target) && Object.hasOwn(target, name)) target = target[name];
    else if (Array.isArray(target)) target = target[Number(name)];
    else return undefined;
  }
  return target;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
