import type { CommandPlace, TypedOption } from './command-tree.ts';

/** For `source`, or ~/.config/fish/completions/longhaul.fish. */
export function fishScript(places: readonly CommandPlace[]): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => fishQuoted(` ${path}`));
  return `# Completion of longhaul for fish: longhaul completion fish > ~/.config/fish/completions/longhaul.fish
function __longhaul_at
  set -l at ''
  set -l typed (commandline -opc)
  for word in $typed[2..]
    # What follows is another program's.
    test "$word" = --; and return 1
    contains -- "$at $word" ${paths.join(' ')}; and set at "$at $word"
  end
  test "$at" = "$argv[1]"
end
${places.flatMap(completions).join('\n')}
`;
}

function completions({ path, commands, options, choices }: CommandPlace): string[] {
  const start = `complete -c longhaul -n ${fishQuoted(`__longhaul_at ${fishQuoted(path === '' ? '' : ` ${path}`)}`)}`;
  return [
    ...commands.map(({ name, summary }) => `${start} -f -a ${name} -d ${fishQuoted(summary)}`),
    ...choices.map((choice) => `${start} -f -a ${fishQuoted(choice)}`),
    ...options.map((option) => `${start} ${optionWords(option)} -d ${fishQuoted(option.summary)}`),
  ];
}

function optionWords({ names, takesValue, choices }: TypedOption): string {
  const typed = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const value = choices.length > 0 ? [`-x -a ${fishQuoted(choices.join(' '))}`] : takesValue ? ['-r'] : [];
  return [...typed, ...value].join(' ');
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
