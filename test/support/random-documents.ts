import fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { JsonValue } from '../../src/json.ts';

/** Draws one value from an arbitrary. This is fast-check's way to write generators that depend on earlier draws. */
type Draw = fc.GeneratorValue;

/** An operation as a client sends it. */
export interface RandomOperation {
  query: string;
  variables: Record<string, unknown>;
}

/** Arbitraries of values by type name. */
export type Pools = Readonly<Record<string, readonly JsonValue[]>>;

interface Options {
  draw: Draw;
  schema: GraphQLSchema;
  pools: Pools;
  /** Whether a field may be selected. */
  takes: (field: string) => boolean;
}

/** Stays within the limits of depth, aliases and directives, which other tests cover. */
const deepest = 4;

/**
 * Generates a random operation over a whole schema: arguments as literals and variables (given, null, omitted, with
 * defaults, inside objects, lists and JSON), aliases, fragments that are spread several times, and @skip and @include.
 */
export class RandomDocument {
  readonly #options: Options;
  readonly #draw: Draw;
  readonly #declarations: string[] = [];
  readonly #declared = new Map<string, string[]>();
  readonly #variables: Record<string, unknown> = {};
  readonly #fragments: { name: string; type: string; text: string }[] = [];
  #aliases = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#draw = options.draw;
  }

  /** @param root a fixed root selection, instead of a random one */
  write(kind: 'query' | 'mutation' | 'subscription', root?: (document: RandomDocument) => string): RandomOperation {
    const { schema } = this.#options;
    const type = { query: schema.getQueryType(), mutation: schema.getMutationType(), subscription: schema.getSubscriptionType() }[kind];
    if (type == null) throw new Error(`the schema has no ${kind}`);
    // A subscription has exactly one root field.
    const [first] = Object.values(type.getFields()).filter(({ name }) => this.#options.takes(name));
    const field = kind === 'subscription' && first !== undefined ? `{ ${this.#field(first, 0, '')} }` : null;
    const selection = root?.(this) ?? field ?? this.selection(type, 0);
    const declarations = this.#declarations.length === 0 ? '' : `(${this.#declarations.join(', ')})`;
    const fragments = this.#fragments.map(({ text }) => text).join(' ');
    return { query: `${kind} Random${declarations} ${selection} ${fragments}`.trim(), variables: this.#variables };
  }

  selection(type: GraphQLCompositeType, depth: number): string {
    const parts = Array.from({ length: this.#integer(1, depth === 0 ? 2 : 4) }, () => this.#part(type, depth));
    return `{ ${parts.join(' ')} }`;
  }

  /** A field with random arguments. */
  arguments(args: readonly GraphQLArgument[]): string {
    const given = args.filter((arg) => isNonNullType(arg.type) || this.#chance(40));
    return given.length === 0 ? '' : `(${given.map((arg) => `${arg.name}: ${this.value(arg.type, hintOf(arg))}`).join(', ')})`;
  }

  /** A literal that may contain variables, or a variable. */
  value(type: GraphQLInputType, hint: string): string {
    if (this.#chance(30)) return this.variable(type, hint);
    return this.#literal(type, hint);
  }

  variable(type: GraphQLInputType, hint: string): string {
    const known = this.#declared.get(String(type)) ?? [];
    if (known.length > 0 && this.#chance(40)) return `$${this.#pick(known)}`;
    const name = `v${this.#declarations.length}`;
    const hasDefault = this.#chance(25) && !isNonNullType(type);
    this.#declarations.push(`$${name}: ${String(type)}${hasDefault ? ` = ${this.#constant(type, hint)}` : ''}`);
    this.#declared.set(String(type), [...known, name]);
    // Left out, if that is allowed.
    if (isNonNullType(type) || !this.#chance(25)) this.#variables[name] = this.#json(type, hint);
    return `$${name}`;
  }

  #part(type: GraphQLCompositeType, depth: number): string {
    const condition = this.#chance(6) ? ` @${this.#pick(['skip', 'include'])}(if: ${this.#condition()})` : '';
    if (this.#chance(10)) return `__typename${condition}`;
    const inner = this.#chance(isObjectType(type) ? 12 : 70) ? this.#pick(this.#typesWithin(type)) : null;
    if (inner !== null) {
      if (this.#chance(50)) return `... on ${inner.name}${condition} ${this.selection(inner, depth)}`;
      return `...${this.#fragmentOn(inner, depth)}${condition}`;
    }
    const fields = 'getFields' in type ? Object.values(type.getFields()) : [];
    const possible = fields.filter(
      (each) => this.#options.takes(each.name) && (depth < deepest || !isCompositeType(getNamedType(each.type))),
    );
    return possible.length === 0 ? '__typename' : this.#field(this.#pick(possible), depth, condition);
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number, condition: string): string {
    const named = getNamedType(field.type);
    const inner = isCompositeType(named) ? ` ${this.selection(named, depth + 1)}` : '';
    const given = this.arguments(field.args);
    // Fields of one name with different arguments could not be merged.
    const alias = given !== '' || this.#chance(10) ? this.#alias() : '';
    return `${alias}${field.name}${given}${condition}${inner}`;
  }

  #alias(): string {
    this.#aliases += 1;
    return this.#aliases > 20 ? '' : `a${this.#aliases}: `;
  }

  #fragmentOn(type: GraphQLCompositeType, depth: number): string {
    const known = this.#fragments.filter((each) => each.type === type.name);
    if (known.length > 0 && this.#chance(60)) return this.#pick(known).name;
    const text = this.selection(type, depth + 1);
    const name = `F${this.#fragments.length}`;
    this.#fragments.push({ name, type: type.name, text: `fragment ${name} on ${type.name} ${text}` });
    return name;
  }

  #typesWithin(type: GraphQLCompositeType): readonly GraphQLCompositeType[] {
    return isAbstractType(type) ? this.#options.schema.getPossibleTypes(type) : [type];
  }

  #condition(): string {
    if (this.#chance(50)) return String(this.#draw(fc.boolean));
    const name = `v${this.#declarations.length}`;
    this.#declarations.push(`$${name}: Boolean!`);
    this.#variables[name] = this.#draw(fc.boolean);
    return `$${name}`;
  }

  #literal(type: GraphQLInputType, hint: string, mayBeNull = true): string {
    if (isNonNullType(type)) return this.#literal(type.ofType, hint, false);
    if (mayBeNull && this.#chance(6)) return 'null';
    if (isListType(type)) {
      // A single value is coerced to a list.
      if (this.#chance(15)) return this.#literal(type.ofType, hint);
      return `[${Array.from({ length: this.#integer(0, 2) }, () => this.value(type.ofType, hint)).join(', ')}]`;
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) => isNonNullType(field.type) || this.#chance(40));
      return `{${fields.map((field) => `${field.name}: ${this.value(field.type, hintOf(field))}`).join(', ')}}`;
    }
    if (type.name === 'JSON' || type.name === 'JSONObject') return this.#jsonLiteral(type.name === 'JSONObject' ? 0 : 1);
    return this.#constant(type, hint, mayBeNull);
  }

  /** A literal without variables. */
  #constant(type: GraphQLInputType, hint: string, mayBeNull = true): string {
    const value = this.#json(type, hint, mayBeNull);
    return isEnumType(getNamedType(type)) && typeof value === 'string' ? value : literalOf(value);
  }

  #jsonLiteral(depth: number): string {
    const kind = depth === 0 ? 5 : this.#integer(0, depth > 2 ? 4 : 6);
    const inner = () => this.#jsonLiteral(depth + 1);
    if (kind === 5) return `{${Array.from({ length: this.#integer(0, 3) }, (_, n) => `k${n}: ${inner()}`).join(', ')}}`;
    if (kind === 6) return `[${Array.from({ length: this.#integer(0, 2) }, inner).join(', ')}]`;
    if (kind <= 1) return this.#jsonVariable();
    return literalOf(this.#pick(this.#options.pools['JSON'] ?? [null]));
  }

  #jsonVariable(): string {
    const scalar = this.#pick(['Int', 'String', 'Boolean', 'Float', 'JSON', 'ID', 'DateTime', 'JobOrder']);
    const type = this.#options.schema.getType(scalar);
    if (type === undefined || !('parseValue' in type)) throw new Error(`there is no scalar ${scalar}`);
    return this.variable(type, scalar);
  }

  #json(type: GraphQLInputType, hint: string, mayBeNull = true): JsonValue {
    if (isNonNullType(type)) return this.#json(type.ofType, hint, false);
    if (mayBeNull && this.#chance(8)) return null;
    if (isListType(type)) return Array.from({ length: this.#integer(0, 2) }, () => this.#json(type.ofType, hint));
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) => isNonNullType(field.type) || this.#chance(40));
      return Object.fromEntries(fields.map((field) => [field.name, this.#json(field.type, hintOf(field))]));
    }
    if (isEnumType(type)) return this.#pick(type.getValues()).name;
    return this.#pick(this.#pool(type.name, hint));
  }

  #pool(type: string, hint: string): readonly JsonValue[] {
    const pool = this.#options.pools[hint] ?? this.#options.pools[type];
    if (pool === undefined) throw new Error(`there are no values to draw for ${type}`);
    return pool;
  }

  #integer(min: number, max: number): number {
    return this.#draw(fc.integer, { min, max });
  }

  #chance(percent: number): boolean {
    return this.#integer(1, 100) <= percent;
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[this.#integer(0, items.length - 1)];
    if (item === undefined) throw new Error('there is nothing to draw from');
    return item;
  }
}

function hintOf({ name }: GraphQLArgument | GraphQLInputField): string {
  return name;
}

/** A JSON value as a GraphQL literal. */
function literalOf(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `${name}: ${literalOf(each)}`).join(', ')}}`;
}
