import { Argument, type Command } from 'commander';
import { bashScript } from './bash-script.ts';
import { type CommandPlace, placesOf } from './command-tree.ts';
import { fishScript } from './fish-script.ts';
import { zshScript } from './zsh-script.ts';

const scripts: Record<string, (places: readonly CommandPlace[]) => string> = { bash: bashScript, zsh: zshScript, fish: fishScript };

export function declare(command: Command): void {
  command
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)))
    .addHelpText('after', `
In bash, in ~/.bashrc:  source <(longhaul completion bash)
In zsh, in ~/.zshrc:    source <(longhaul completion zsh)    after compinit
In fish, once:          longhaul completion fish > ~/.config/fish/completions/longhaul.fish`)
    .action(print);
}

/** Prints a script for the shell, made of the commands and options that there are. */
function print(shell: string, _options: object, command: Command): void {
  const { parent } = command;
  if (parent !== null) process.stdout.write(scripts[shell]?.(placesOf(parent)) ?? '');
}
