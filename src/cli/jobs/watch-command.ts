import type { ServerChoice } from '../contexts/choose-server.ts';
import { shellWord } from '../shell-word.ts';

/** The command that watches jobs on, with the server and the file that were asked for. */
export function watchCommand(what: readonly string[], { url, context, output }: ServerChoice & { output?: string }): string {
  const options = [...(url === undefined ? [] : ['--url', url]), ...(context === undefined ? [] : ['--context', context]), ...(output === undefined ? [] : ['-o', output])];
  return ['longhaul', 'watch', ...what, ...options].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : shellWord(word))).join(' ');
}
