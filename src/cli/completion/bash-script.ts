import { shellWord } from '../shell-word.ts';
import { type CommandPlace, valuedOptions } from './command-tree.ts';

/** For `source`. Where it knows nothing better, bash completes names of files. */
export function bashScript(places: readonly CommandPlace[]): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => shellWord(` ${path}`));
  return `# Completion of longhaul for bash. In ~/.bashrc: source <(longhaul completion bash)
_longhaul() {
  local at= word index typed=\${COMP_WORDS[COMP_CWORD]} words= options=
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    # What follows is another program's.
    [ "$word" != -- ] || return
    case "$at $word" in
      ${paths.join(' | ')}) at="$at $word" ;;
    esac
  done
  case "$at \${COMP_WORDS[COMP_CWORD - 1]}" in
${valuedOptions(places).map(({ patterns, choices }) => `    ${patterns}) COMPREPLY=($(compgen -W ${words(choices)} -- "$typed")); return ;;`).join('\n')}
  esac
  case $at in
${places.map(({ path, commands, options, choices }) => `    ${shellWord(path === '' ? '' : ` ${path}`)}) words=${words([...commands.map(({ name }) => name), ...choices])} options=${words(options.flatMap(({ names }) => names))} ;;`).join('\n')}
  esac
  [[ $typed != -* ]] || words=$options
  COMPREPLY=($(compgen -W "$words" -- "$typed"))
}
complete -o default -F _longhaul longhaul
`;
}

/** A list for compgen -W. */
function words(list: readonly string[]): string {
  return shellWord(list.join(' '));
}
