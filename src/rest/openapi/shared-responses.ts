import { type JsonObject, type JsonValue, isJsonObject } from '../../json.ts';

/** Answers that several operations of a dialect share become components; otherwise the document is mostly repetition. */
export class SharedResponses {
  /** By their text. */
  readonly #seen = new Map<string, { name: string; response: JsonValue; times: number }>();
  /** How many different ones there are of a dialect and a status. */
  readonly #kinds = new Map<string, number>();

  /** Looks at what an operation gives. */
  add(dialect: string, { responses }: JsonObject): void {
    if (!isJsonObject(responses)) return;
    for (const [status, response] of Object.entries(responses)) {
      const text = textOf(dialect, status, response);
      const known = this.#seen.get(text);
      if (known === undefined) this.#seen.set(text, { name: this.#nameOf(`${dialect}-${status}`), response, times: 1 });
      else known.times += 1;
    }
  }

  /** Has an operation refer to what others give too; after all of them were added. */
  share(dialect: string, operation: JsonObject): void {
    const { responses } = operation;
    if (!isJsonObject(responses)) return;
    operation['responses'] = Object.fromEntries(
      Object.entries(responses).map(([status, response]) => {
        const { name, times } = this.#seen.get(textOf(dialect, status, response)) ?? { name: '', times: 0 };
        return [status, times > 1 ? { $ref: `#/components/responses/${name}` } : response];
      }),
    );
  }

  components(): JsonObject {
    const shared = [...this.#seen.values()].filter(({ times }) => times > 1);
    return Object.fromEntries(shared.map(({ name, response }) => [name, response]));
  }

  /** `vydra-404`, and `vydra-404-2` for another one. */
  #nameOf(kind: string): string {
    const number = (this.#kinds.get(kind) ?? 0) + 1;
    this.#kinds.set(kind, number);
    return number === 1 ? kind : `${kind}-${number}`;
  }
}

function textOf(dialect: string, status: string, response: JsonValue): string {
  return JSON.stringify([dialect, status, response]);
}
