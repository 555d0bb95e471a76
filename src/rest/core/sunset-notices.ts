import type { SurfaceSettings } from '../../services.ts';
import type { Dialect } from '../../workspaces/dialect.ts';

/**
 * What an operator announces about a dialect's end: `Deprecation` (RFC 9745) is since when it is discouraged, `Sunset`
 * (RFC 8594) from when it may be gone. Nothing happens by itself on these days.
 */
export class SunsetNotices {
  readonly #headers: ReadonlyMap<Dialect, Readonly<Record<string, string>>>;

  constructor({ compatDeprecation, compatSunset }: Pick<SurfaceSettings, 'compatDeprecation' | 'compatSunset'>) {
    const dialects = new Set([...compatDeprecation.keys(), ...compatSunset.keys()]);
    this.#headers = new Map(
      [...dialects].map((dialect) => {
        const deprecated = compatDeprecation.get(dialect);
        const sunset = compatSunset.get(dialect);
        const headers = {
          ...(deprecated === undefined ? {} : { deprecation: `@${deprecated.getTime() / 1_000}` }),
          ...(sunset === undefined ? {} : { sunset: sunset.toUTCString() }),
        };
        return [dialect, headers];
      }),
    );
  }

  /** Undefined if nothing is announced. */
  headersOf(dialect: Dialect): Readonly<Record<string, string>> | undefined {
    return this.#headers.get(dialect);
  }
}
