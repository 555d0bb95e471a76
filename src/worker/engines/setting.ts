/** Who does the work on speech and language, as the configuration says. */
export type EngineSetting =
  | {
      kind: 'command';
      program: string;
      /** May hold `{names}`, which are filled in. */
      parameters: readonly string[];
    }
  | {
      /** http: the OpenAI shapes. libretranslate: its own. */
      kind: 'http' | 'libretranslate';
      /** Without a trailing slash. */
      url: string;
      model: string | null;
      /** Sent as a bearer token, or as LibreTranslate takes it. */
      key: string | null;
    };

const httpForm = /^(http|libretranslate):(https?:\/\/.+)$/;

/**
 * Reads `command:PROGRAM PARAMETERS…`, `http:BASE_URL` or `libretranslate:BASE_URL`; the query of the URL may name a `model`. Null if it
 * is none of these.
 */
export function readEngine(text: string | null, key: string | null): EngineSetting | null {
  if (text === null) return null;
  if (text.startsWith('command:')) {
    const [program = '', ...parameters] = text.slice('command:'.length).trim().split(/\s+/);
    return program === '' ? null : { kind: 'command', program, parameters };
  }
  const [, kind, address = ''] = httpForm.exec(text) ?? [];
  const url = URL.parse(address);
  if (url === null || (kind !== 'http' && kind !== 'libretranslate')) return null;
  return { kind, url: `${url.origin}${url.pathname}`.replace(/\/+$/, ''), model: url.searchParams.get('model'), key };
}
