/*
 * What S3 answers is flat: elements of text, without attributes that matter, comments or CDATA.
 */

/** The contents of all elements of this name. */
export function elementsOf(xml: string, name: string): string[] {
  return Array.from(xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([\\s\\S]*?)</${name}>`, 'g')), ([, content = '']) => content);
}

/** The text of the first element of this name; null if there is none. */
export function textOf(xml: string, name: string): string | null {
  const [content] = elementsOf(xml, name);
  return content === undefined ? null : unescape(content.trim());
}

/** Text as the content of an element. */
export function escape(text: string): string {
  return Object.entries(named).reduce((escaped, [name, character]) => escaped.replaceAll(character, `&${name};`), text);
}

/** The ampersand first. */
const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/gi, (_whole, hex?: string, decimal?: string, name?: string) =>
    name === undefined ? String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)) : (named[name.toLowerCase()] ?? ''),
  );
}
