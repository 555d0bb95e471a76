import type { Command } from 'commander';
import { busDamages } from '../doctor/bus.ts';
import { countDamages } from '../doctor/counts.ts';
import { clockDamages, databaseDamages, migrationDamages } from '../doctor/database.ts';
import { type Damage, examine, type Finding, type Found } from '../doctor/examination.ts';
import { ledgerDamages } from '../doctor/ledger.ts';
import { examineMedia } from '../doctor/media.ts';
import { jobDamages, sweepDamages, whySweepsRest } from '../doctor/sweeps.ts';
import { storeDamages } from '../doctor/store.ts';
import { examineTables } from '../doctor/tables.ts';
import type { Database } from '../database/database.ts';
import { createStore } from '../files/stores/create-store.ts';
import { type Config, ConfigError, loadConfig } from '../server/configuration.ts';
import { onExistingDatabase } from './existing-database.ts';
import { Secrets } from '../secrets.ts';
import { isSignedWith, lostSecretRemedy, readKeptSecret } from '../server/secret.ts';
import { tell } from './tell.ts';

export function declare(command: Command): void {
  command.action(examineInstallation);
}

/**
 * `npm run doctor`: examines the installation that the environment names, part by part, and says of each damage what to do.
 * Changes nothing and needs no pause on servers; an embedded database must not be in use.
 *
 * Exits with 0 where all is sound, 1 where something is damaged, 2 where the configuration cannot be used.
 */
async function examineInstallation(): Promise<void> {
  try {
    process.exitCode = await diagnose(loadConfig(process.env));
  } catch (error) {
    const lines = error instanceof ConfigError ? error.lines : [error instanceof Error ? error.message : String(error)];
    process.stderr.write(`There is nothing to examine:\n${lines.map((line) => `  ${line}\n`).join('')}`);
    process.exitCode = 2;
  }
}

async function diagnose(config: Config): Promise<number> {
  let damages = 0;
  const report = (finding: Finding) => {
    damages += finding.damages.length;
    tellOf(finding);
  };
  const { redisUrl } = config;
  report(redisUrl === null ? skipped('bus', 'it is in memory') : await examine('bus', () => busDamages(redisUrl), 'Look at Redis, and at REDIS_URL.'));
  report(await examineMedia(config.ffmpegPath));
  const opened = await examine('database', () => onExistingDatabase(config, (database) => examineWith(database, config, report)), 'Look at Postgres, and at DATABASE_URL.');
  if (opened.damages.length > 0) report(opened);
  const verdict = damages === 0 ? 'everything is sound' : `${damages} ${damages === 1 ? 'damage' : 'damages'}`;
  tell(`${verdict.charAt(0).toUpperCase()}${verdict.slice(1)}.`, { damages }, verdict);
  return damages === 0 ? 0 : 1;
}

/** Examines what takes the database. Reports by itself; what it throws keeps the rest from being looked at. */
async function examineWith(database: Database, config: Config, report: (finding: Finding) => void): Promise<Damage[]> {
  const look = async (part: string, damages: (database: Database) => Promise<readonly Damage[] | Found>, remedy: string) => {
    const finding = await examine(part, () => damages(database), remedy);
    report(finding);
    return finding.damages.length === 0;
  };
  await look('database', databaseDamages, 'Look at Postgres: its log says more.');
  await look('clock', clockDamages, 'Look at Postgres: its log says more.');
  if (!(await look('migrations', migrationDamages, 'Start the version that the message names.'))) {
    for (const part of ['tables', 'secret', 'volume', 'ledger', 'jobs', 'counts', 'sweeps']) report(skipped(part, 'the database is not of this version'));
    return [];
  }
  await look('tables', examineTables, 'Look at Postgres: its log says more.');
  await look('secret', (opened) => secretDamages(opened, config), 'Try again: nothing was found out.');
  const store = createStore(config);
  const storeRemedy = config.bucket === null ? 'Mount the volume of this installation there, or name its folder in ARTIFACTS_DIR.' : 'Name the bucket and prefix of this installation in ARTIFACTS_URL.';
  await look('volume', ({ reads }) => storeDamages(reads, store), storeRemedy).finally(() => store.close());
  await look('ledger', ({ reads }) => ledgerDamages(reads), 'Try again: nothing was found out.');
  await look('jobs', jobDamages, 'Try again: nothing was found out.');
  await look('counts', ({ reads }) => countDamages(reads), 'Try again: nothing was found out.');
  const rests = await whySweepsRest(database);
  if (rests === null) await look('sweeps', sweepDamages, 'Try again: nothing was found out.');
  else report(skipped('sweeps', rests));
  return [];
}

async function secretDamages(database: Database, { secrets, dataDir }: Config): Promise<Damage[]> {
  const kept = secrets === null ? await readKeptSecret(dataDir) : null;
  const values = kept === null ? secrets : ([kept] as const);
  if (values !== null && (await isSignedWith(database, new Secrets(values)))) return [];
  const what = values === null ? `the file secret in ${dataDir} is gone` : 'it is not the one that this installation was started with';
  return [{ what, remedy: `Put the old value back. ${lostSecretRemedy}` }];
}

function skipped(part: string, why: string): Finding {
  return { part, damages: [], skipped: why };
}

function tellOf({ part, damages, skipped: why, seen }: Finding): void {
  if (why !== null) tell(`${part}: not examined, ${why}`, { part, examined: false }, why);
  else if (damages.length === 0) tell(`${part}: sound${seen === undefined ? '' : `, ${seen}`}`, { part, sound: true, ...(seen !== undefined && { seen }) }, 'sound');
  for (const { what, remedy } of damages) tell(`${part}: ${what}\n    ${remedy}`, { part, sound: false, remedy }, what);
}
