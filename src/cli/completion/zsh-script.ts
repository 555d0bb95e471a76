import { shellWord } from '../shell-word.ts';
import { type CommandPlace, valuedOptions } from './command-tree.ts';

/** For `source`, or a file _longhaul in a folder of $fpath. */
export function zshScript(places: readonly CommandPlace[]): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => shellWord(` ${path}`));
  return `#compdef longhaul
# Completion of longhaul for zsh. In ~/.zshrc, after compinit: source <(longhaul completion zsh)
_longhaul() {
  local at= word index
  local -a commands options
  for ((index = 2; index < CURRENT; index++)); do
    word=\${words[index]}
    # What follows is another program's.
    if [[ $word == -- ]]; then _files; return; fi
    case "$at $word" in
      (${paths.join(' | ')}) at="$at $word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${valuedOptions(places).map(({ patterns, choices }) => `    (${patterns}) ${choices.length === 0 ? '_files' : `compadd -- ${choices.map(shellWord).join(' ')}`}; return ;;`).join('\n')}
  esac
  case $at in
${places.map(({ path, commands, options, choices }) => `    (${shellWord(path === '' ? '' : ` ${path}`)})
      commands=(${[...commands.map(({ name, summary }) => described(name, summary)), ...choices.map(shellWord)].join(' ')})
      options=(${options.flatMap(({ names, summary }) => names.map((name) => described(name, summary))).join(' ')}) ;;`).join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then _describe -o option options
  elif (( \${#commands} )); then _describe command commands
  else _files
  fi
}
# Read from $fpath, this file is the function itself.
if [[ $funcstack[1] == _longhaul ]]; then _longhaul "$@"; else compdef _longhaul longhaul; fi
`;
}

/** An entry for _describe. */
function described(name: string, summary: string): string {
  return shellWord(`${name.replaceAll(':', '\\:')}:${summary}`);
}
