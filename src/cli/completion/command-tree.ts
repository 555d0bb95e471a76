import type { Command } from 'commander';
import { shellWord } from '../shell-word.ts';

/** What may be typed at one place of a command line. */
export interface CommandPlace {
  /** The commands typed before, such as `jobs logs`; empty at the beginning. */
  path: string;
  commands: { name: string; summary: string }[];
  options: TypedOption[];
  /** What an argument may be; empty where anything, such as a file. */
  choices: readonly string[];
}

export interface TypedOption {
  /** As they are typed: `-o` and `--output`. */
  names: string[];
  summary: string;
  takesValue: boolean;
  /** What the value may be; empty where anything. */
  choices: readonly string[];
}

/** All places of a program whose commands have declared themselves. */
export function placesOf(command: Command, path: readonly string[] = []): CommandPlace[] {
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ short, long, description, required, optional, argChoices }) => ({
      names: [short, long].filter((name) => name !== undefined),
      summary: description,
      takesValue: required || optional,
      choices: argChoices ?? [],
    }));
  const place = {
    path: path.join(' '),
    commands: command.commands.map((one) => ({ name: one.name(), summary: one.summary() })),
    options: [...options, { names: ['-h', '--help'], summary: 'show what there is', takesValue: false, choices: [] }],
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
  return [place, ...command.commands.flatMap((one) => placesOf(one, [...path, one.name()]))];
}

/** For a `case`: the options of all places that take a value, as `path --option`, by what the value may be. */
export function valuedOptions(places: readonly CommandPlace[]): { patterns: string; choices: readonly string[] }[] {
  const found = new Map<string, { patterns: string[]; choices: readonly string[] }>();
  for (const { path, options } of places) {
    for (const { names, choices } of options.filter(({ takesValue }) => takesValue)) {
      const group = found.get(choices.join(' ')) ?? { patterns: [], choices };
      group.patterns.push(...names.map((name) => shellWord(` ${path} ${name}`)));
      found.set(choices.join(' '), group);
    }
  }
  return [...found.values()].map(({ patterns, choices }) => ({ patterns: patterns.join(' | '), choices }));
}
