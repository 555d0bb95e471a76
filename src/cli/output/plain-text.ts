/** Control characters, by which a text could move the cursor, colour or rename a terminal. */
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]/g;

/** A text of somebody else as one line that is safe on a terminal: what controls it is shown, white space becomes a space. */
export function oneLine(text: string): string {
  return text.replace(controls, (control) => (/\s/.test(control) ? ' ' : `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`));
}

/** The same for a text whose lines and tabs stay. */
export function plainText(text: string): string {
  return text.split('\n').map((line) => line.split('\t').map(oneLine).join('\t')).join('\n');
}

/** A value as a cell of a table; nothing for null. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return oneLine(value);
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return oneLine(value.join(', '));
  return oneLine(JSON.stringify(value));
}
