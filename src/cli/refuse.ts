import { type Config, ConfigError, loadConfig } from '../server/configuration.ts';

/** Reads the configuration from the environment, or ends the process with one line for each mistake. */
export function readConfig(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) refuse('Longhaul cannot start', error.lines);
    throw error;
  }
}

/** Reports why the command cannot do its work, without a stack trace, and ends the process. */
export function refuse(headline: string, reason: unknown): never {
  const lines = Array.isArray(reason) ? reason.map(String) : (reason instanceof Error ? reason.message : String(reason)).split('\n');
  process.stderr.write(`${headline}:\n${lines.map((line) => `  ${line}\n`).join('')}`);
  process.exit(1);
}
