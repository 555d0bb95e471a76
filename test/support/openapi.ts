import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'vitest';
import { type JsonObject, type JsonValue, isJsonObject } from '../../src/json.ts';
import type { RestDialect } from '../../src/rest/core/rest-dialect.ts';
import type { Route } from '../../src/rest/core/call.ts';
import type { RestAnswer } from './rest.ts';

/** Checks answers against schema/openapi.json, as its readers understand it. */
export class Described {
  readonly document: JsonObject;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  private constructor(document: JsonObject) {
    this.document = document;
    formats.default(this.#ajv);
    this.#ajv.addSchema(document, 'openapi.json');
  }

  static async read(): Promise<Described> {
    const text = await readFile(new URL('../../schema/openapi.json', import.meta.url), 'utf8');
    return new Described(JSON.parse(text));
  }

  /** The documented statuses of an operation. */
  statuses(method: string, path: string): number[] {
    return Object.keys(objectAt(this.document, ['paths', path, method.toLowerCase(), 'responses'])).map(Number);
  }

  /** Expects the answer to match the documentation of the operation. */
  expectAnswer(method: string, path: string, { status, headers, body }: RestAnswer): void {
    const asked = `${method} ${path}`;
    expect(this.statuses(method, path), `${asked} answered ${JSON.stringify(body)}`).toContain(status);
    const place = this.#resolved(['paths', path, method.toLowerCase(), 'responses', String(status)]);
    const response = objectAt(this.document, place);
    const described = Object.keys(isJsonObject(response['headers']) ? response['headers'] : {}).map((name) => name.toLowerCase());
    expect(described, asked).toEqual(expect.arrayContaining(noted.filter((name) => headers.has(name))));
    for (const name of always.filter((each) => described.includes(each))) expect(headers.has(name), `${name} of ${asked}`).toBe(true);
    if (response['content'] === undefined) expect(body).toBeUndefined();
    else this.#expectValid([...place, 'content', 'application/json', 'schema'], body, `${asked}: ${status}`);
  }

  /** Expects each example to match its schema. Returns the number of examples. */
  expectExamples(): number {
    let count = 0;
    for (const { path, value } of everything(this.document)) {
      if (!isJsonObject(value) || !isJsonObject(value['schema'])) continue;
      const { example, examples } = value;
      const given = isJsonObject(examples) ? Object.values(examples).map((each) => (isJsonObject(each) ? each['value'] : each)) : [];
      for (const one of [...given, example]) {
        if (one === undefined) continue;
        this.#expectValid([...path, 'schema'], one, path.join(' '));
        count += 1;
      }
    }
    return count;
  }

  #expectValid(place: readonly string[], value: JsonValue | undefined, what: string): void {
    const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const validate = this.#ajv.getSchema(`openapi.json#/${pointer}`);
    if (validate === undefined) throw new Error(`There is no schema at ${pointer}.`);
    const valid = validate(value);
    expect(validate.errors ?? [], `${what} ${JSON.stringify(value)}`).toEqual([]);
    expect(valid).toBe(true);
  }

  /** Resolves the reference at this place; returns the place itself if there is none. */
  #resolved(place: string[]): string[] {
    const { $ref } = objectAt(this.document, place);
    return typeof $ref === 'string' ? placeOf($ref) : place;
  }
}

/** Headers that the document must list if they are sent. */
const noted = ['etag', 'preference-applied', 'retry-after', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'];
/** Headers that are always sent if the document lists them. Others depend on the request. */
const always = ['etag', 'retry-after'];

/** The place that a reference within the document points to. */
export function placeOf(reference: string): string[] {
  expect(reference).toMatch(/^#\//);
  return reference.slice(2).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The object at this place of the document. Throws if there is none. */
export function objectAt(document: JsonObject, place: readonly string[]): JsonObject {
  let value: JsonValue | undefined = document;
  for (const part of place) value = isJsonObject(value) ? value[part] : undefined;
  if (!isJsonObject(value)) throw new Error(`There is nothing at ${place.join(' ')} of the document.`);
  return value;
}

/** All nested values, with their places. */
export function* everything(value: JsonValue, path: readonly string[] = []): Generator<{ path: readonly string[]; value: JsonValue }> {
  yield { path, value };
  if (typeof value !== 'object' || value === null) return;
  for (const [name, child] of Object.entries(value)) yield* everything(child, [...path, name]);
}

/** The path of a route in OpenAPI's form. */
export function openApiPath({ prefix }: RestDialect, { path }: Pick<Route, 'path'>): string {
  return prefix + path;
}
