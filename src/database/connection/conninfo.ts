import { keywords } from './keywords.ts';

/** The values of a connection string by libpq keyword. */
export type Conninfo = Map<string, string>;

/** A connection string, or a file that it names, cannot be used. The message never contains a secret. */
export class ConninfoError extends Error {}

const scheme = /^postgres(?:ql)?:\/\//;

/**
 * Parses a connection string in either of libpq's two forms. Follows libpq's grammar, `conninfo_uri_parse_options` and
 * `conninfo_parse` in fe-connect.c. A WHATWG URL parser does not fit: it does not support lists of hosts, lowercases the
 * host and rejects an empty one.
 *
 * @throws ConninfoError
 */
export function parseConninfo(text: string): Conninfo {
  if (scheme.test(text)) return parseUri(text.replace(scheme, ''));
  if (text.includes('=')) return parseKeywords(text);
  throw new ConninfoError('expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, or keyword=value pairs as libpq takes them.');
}

function parseUri(text: string): Conninfo {
  const found: Conninfo = new Map();
  const put = (keyword: string, value: string) => {
    if (value !== '') found.set(keyword, decode(value, keyword));
  };
  let rest = text;
  const credentials = /^([^@/:]*)(?::([^@/]*))?@/.exec(rest);
  if (credentials !== null) {
    const [whole, user = '', password = ''] = credentials;
    put('user', user);
    put('password', password);
    rest = rest.slice(whole.length);
  }

  const hosts: string[] = [];
  const ports: string[] = [];
  for (let isLast = false; !isLast; ) {
    const [whole, literal, name = '', port = ''] = /^(?:\[([^\]]*)\]|(?!\[)([^:/?,]*))(?::([^/?,]*))?/.exec(rest) ?? [''];
    rest = rest.slice(whole.length);
    if (literal === '') throw new ConninfoError('the IPv6 address between [ and ] is empty.');
    if (!/^(?:[/?,]|$)/.test(rest)) throw new ConninfoError('the host cannot be read: an IPv6 address is written [::1].');
    hosts.push(literal ?? name);
    ports.push(port);
    isLast = !rest.startsWith(',');
    if (!isLast) rest = rest.slice(1);
  }
  if (hosts.some((host) => host !== '') || hosts.length > 1) put('host', hosts.join(','));
  if (ports.some((port) => port !== '') || ports.length > 1) put('port', ports.join(','));

  const [, database = '', query = ''] = /^(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest) ?? [];
  put('dbname', database);
  // If the password has an unencoded / or ?, the rest of it is parsed as database or query. Do not show it then.
  const isShown = credentials !== null || !text.includes('@');
  for (const [index, pair] of (query === '' ? [] : query.split('&')).entries()) {
    const [keyword = '', value, ...more] = pair.split('=');
    if (value === undefined || more.length > 0) {
      throw new ConninfoError(`parameter ${index + 1} after the ? is not name=value; write = as %3D and & as %26 in a value.`);
    }
    if (keyword === 'ssl' && value === 'true') found.set('sslmode', 'require');
    else add(found, decode(keyword, 'a name'), decode(value, keyword), isShown, index);
  }
  return found;
}

/** Percent-decodes as libpq does: a + stays a plus sign. */
function decode(text: string, what: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes('\0')) return decoded;
  } catch {
    // Throws the error below.
  }
  throw new ConninfoError(`the percent-encoding of ${keywords.has(what) ? what : 'a part'} cannot be read; write % as %25.`);
}

function parseKeywords(text: string): Conninfo {
  const found: Conninfo = new Map();
  const pair = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.|\\$)(?:[^\s\\]|\\.|\\$)*)?(?=\s|$))\s*/sy;
  for (let index = 0, at = text.length - text.trimStart().length; at < text.length; index += 1, at = pair.lastIndex) {
    pair.lastIndex = at;
    const [, keyword = '', quoted, bare = ''] = pair.exec(text) ?? [];
    if (keyword === '') {
      throw new ConninfoError(`pair ${index + 1} is not keyword=value; put a value with white space between single quotes.`);
    }
    add(found, keyword, (quoted ?? bare).replaceAll(/\\(.?)/gs, '$1'), false, index);
  }
  return found;
}

function add(found: Conninfo, keyword: string, value: string, isShown: boolean, index: number): void {
  if (keyword === 'requiressl') found.set('sslmode', value.startsWith('1') ? 'require' : 'prefer');
  else if (keywords.has(keyword)) found.set(keyword, value);
  // Ignored: this option of pg asks for libpq's rules, which apply here anyway.
  else if (keyword !== 'uselibpqcompat') {
    const name = isShown ? `parameter ${JSON.stringify(keyword.slice(0, 40))}` : `the name of parameter ${index + 1}`;
    throw new ConninfoError(`${name} is not a libpq keyword; remove it, or see "Parameter Key Words" in the Postgres documentation.`);
  }
}
