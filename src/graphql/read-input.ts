import {
  getNamedType,
  GraphQLID,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  type ValueNode,
} from 'graphql';
import type { FieldIssue } from '../errors.ts';
import { maxIssues, unknownField } from '../input.ts';
import { isJsonObject } from '../json.ts';
import { roundedId } from './rounded-id.ts';
import { mustBeGiven } from './sent-variables.ts';

/** An input that is not of its type. The mutation that gets it throws the issues as a ValidationError. */
export class UnreadableInput {
  readonly issues: FieldIssue[];

  constructor(issues: FieldIssue[]) {
    this.issues = issues;
  }
}

type Variables = Readonly<Record<string, unknown>>;

/** Reads an input that was sent in variables: what graphql-js makes of it, or an UnreadableInput. */
export function readJson(value: unknown, type: GraphQLInputObjectType): unknown {
  return readWhole(new Json(value), type);
}

/** Reads an input that is written in a document, with variables as they were sent in it. */
export function readLiteral(node: ValueNode, type: GraphQLInputObjectType, variables: Variables): unknown {
  return readWhole(givenBy(node, variables) ?? new Json(null), type);
}

function readWhole(given: Given, type: GraphQLInputObjectType): unknown {
  const issues: FieldIssue[] = [];
  const value = read(given, type, [], issues);
  return issues.length === 0 ? value : new UnreadableInput(issues);
}

/** GraphQL's rules of input coercion (section 3.10, 3.11, 3.12), with every fault at its path. */
function read(given: Given, type: GraphQLInputType, path: string[], issues: FieldIssue[]): unknown {
  const fault = (message: string, at = path) => void (issues.length < maxIssues && issues.push({ path: at, message }));
  if (isNonNullType(type)) return given.isNull ? fault(required(type)) : read(given, type.ofType, path, issues);
  if (given.isNull) return given.isMissing ? fault(required(type)) : null;
  if (isListType(type)) {
    const items = given.items();
    // A single value stands for a list of it.
    if (items === null) return [read(given, type.ofType, path, issues)];
    return items.map((item, index) => read(item, type.ofType, [...path, String(index)], issues));
  }
  if (!isInputObjectType(type)) return given.leaf(type) ?? fault(`expected ${nounOf(type)}`);
  const sent = given.fields();
  if (sent === null) return fault(`expected ${nounOf(type)}`);
  const value: Record<string, unknown> = {};
  const fields = type.getFields();
  for (const [name, field] of Object.entries(fields)) {
    const one = sent.get(name);
    if (one !== undefined) value[name] = read(one, field.type, [...path, name], issues);
    else if (field.defaultValue !== undefined) value[name] = field.defaultValue;
    else if (isNonNullType(field.type)) fault(required(field.type), [...path, name]);
  }
  for (const name of sent.keys()) if (!Object.hasOwn(fields, name)) fault(unknownField, [...path, name]);
  return value;
}

/** A value as a client gave it. */
interface Given {
  isNull: boolean;
  /** Null, although the variable that it comes from is declared not to be. */
  isMissing: boolean;
  /** Null if it is no list. */
  items(): Given[] | null;
  /** Those that are there; null if it is no object. */
  fields(): Map<string, Given> | null;
  /** Undefined if it is not of the type. */
  leaf(type: GraphQLLeafType): unknown;
}

class Json implements Given {
  readonly #value: unknown;
  readonly isMissing: boolean;

  constructor(value: unknown, isRequired = false) {
    this.#value = value;
    this.isMissing = isRequired && this.isNull;
  }

  get isNull(): boolean {
    return this.#value == null;
  }

  items(): Given[] | null {
    return Array.isArray(this.#value) ? this.#value.map((item) => new Json(item)) : null;
  }

  fields(): Map<string, Given> | null {
    return isJsonObject(this.#value) ? new Map(Object.entries(this.#value).map(([name, value]) => [name, new Json(value)])) : null;
  }

  leaf(type: GraphQLLeafType): unknown {
    return type === GraphQLID && roundedId(this.#value) ? undefined : ifReadable(() => type.parseValue(this.#value));
  }
}

class Literal implements Given {
  readonly #node: ValueNode;
  readonly #variables: Variables;
  readonly isMissing = false;

  constructor(node: ValueNode, variables: Variables) {
    this.#node = node;
    this.#variables = variables;
  }

  get isNull(): boolean {
    return this.#node.kind === Kind.NULL;
  }

  items(): Given[] | null {
    if (this.#node.kind !== Kind.LIST) return null;
    return this.#node.values.map((node) => givenBy(node, this.#variables) ?? new Json(null));
  }

  fields(): Map<string, Given> | null {
    if (this.#node.kind !== Kind.OBJECT) return null;
    return new Map(
      this.#node.fields.flatMap(({ name, value }) => {
        const given = givenBy(value, this.#variables);
        return given === null ? [] : [[name.value, given]];
      }),
    );
  }

  leaf(type: GraphQLLeafType): unknown {
    return ifReadable(() => type.parseLiteral(this.#node, this.#variables));
  }
}

/** Null for a variable that may be left out and was: as if it were not written. */
function givenBy(node: ValueNode, variables: Variables): Given | null {
  if (node.kind !== Kind.VARIABLE) return new Literal(node, variables);
  const { value: name } = node.name;
  const value = variables[name];
  return value === undefined && !mustBeGiven(name) ? null : new Json(value, mustBeGiven(name));
}

/** The types of a schema throw errors of several classes. */
function ifReadable(parse: () => unknown): unknown {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function required(type: GraphQLInputType): string {
  return `is required: expected ${nounOf(type)}`;
}

const nouns: Readonly<Record<string, string>> = {
  String: 'a string',
  ID: 'an id, as a string',
  Int: 'an integer of at most 32 bits',
  Float: 'a number',
  Boolean: 'true or false',
  DateTime: 'an RFC 3339 instant with an offset, on a day that exists, for example 2026-01-31T12:00:00Z',
  JSONObject: 'an object',
};

function nounOf(type: GraphQLInputType): string {
  const named = getNamedType(type);
  if (isEnumType(named)) return `one of ${named.getValues().map(({ name }) => name).join(', ')}`;
  const noun = isInputObjectType(named) ? 'an object' : (nouns[named.name] ?? `a ${named.name} value`);
  return isListType(isNonNullType(type) ? type.ofType : type) ? `a list, each ${noun}` : noun;
}
