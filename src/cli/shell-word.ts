/** A text as one word of bash, zsh and POSIX shells. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
