import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { reportError } from './command-error.ts';
import { type CommandEntry, type CommandGroup, commandTable } from './command-table.ts';
import { exitCodes } from './exit-codes.ts';
import { quietOnBrokenPipe } from './output/broken-pipe.ts';

/** Runs the command that the parameters name; without one it serves. Sets the process's exit code. */
export async function runCommandLine(parameters: readonly string[]): Promise<void> {
  const words = parameters.length === 0 ? ['serve'] : parameters;
  // A server outlives whoever reads its log.
  if (words[0] !== 'serve') quietOnBrokenPipe();
  try {
    const program = await programFor(words);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    else process.exitCode = reportError(error);
  }
}

/** The program with every command by name, and with the options of the one that the words name. */
async function programFor(words: readonly string[]): Promise<Command> {
  const program = new Command('longhaul')
    .description('Longhaul: a self-hosted jobs API for long-running work.')
    .version(packageJson.version)
    .exitOverride()
    .showHelpAfterError('(--help tells more)')
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', '\nWithout a command it serves. LONGHAUL_URL and LONGHAUL_KEY take the place of what login has kept.');
  const [first, second] = words[0] === 'help' ? words.slice(1) : words;
  const needsAll = commandTable.some((entry) => entry.name === first && !isGroup(entry) && entry.needsAll === true);
  for (const entry of commandTable) {
    const command = program.command(entry.name).summary(entry.summary).description(sentence(entry.summary));
    if (isGroup(entry)) await declareGroup(command, entry, second, needsAll ? () => true : entry.name === first ? isNamed(entry, second) : () => false);
    else if (needsAll || entry.name === first) (await entry.load()).declare(command);
  }
  return program;
}

async function declareGroup(group: Command, { commands, defaultCommand }: CommandGroup, word: string | undefined, isLoaded: (name: string) => boolean): Promise<void> {
  // A word that names no command is a mistake, and no parameter of the default.
  const usual = word === undefined || word.startsWith('-') ? defaultCommand : undefined;
  for (const { name, summary, load } of commands) {
    const command = group.command(name, { isDefault: name === usual }).summary(summary).description(sentence(summary));
    if (isLoaded(name)) (await load()).declare(command);
  }
}

/** Which of a group's commands the word behind its name means. */
function isNamed({ commands, defaultCommand }: CommandGroup, word: string | undefined): (name: string) => boolean {
  const named = commands.some(({ name }) => name === word) || word === 'help' ? word : defaultCommand;
  return (name) => name === named;
}

function isGroup(entry: CommandEntry | CommandGroup): entry is CommandGroup {
  return 'commands' in entry;
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
