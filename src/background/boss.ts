import type { PgBoss } from 'pg-boss';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';

export interface BossOptions {
  database: Database;
  /** Null: embedded. */
  databaseUrl: string | null;
  log: Log;
}

/** As everywhere: a statement that hangs must not hold locks for ever, and compiling one takes longer than running it. */
const sessionOptions = '-c statement_timeout=30000 -c jit=off';

/** Its own, beside those of DATABASE_POOL_SIZE, and only once there is work for it. */
const connections = 2;

/** Often enough that what a killed process was at is tried again within a minute or so. */
const superviseSeconds = 30;

/**
 * Loads pg-boss and starts it, on Postgres and on PGlite alike; its tables are made in the schema `pgboss` where they
 * are missing. Nothing here is scheduled by the clock, so its cron is off; what it does by itself is to end jobs whose
 * time is over and to delete those that are done.
 *
 * It brings its own connections on a server. Its scripts (BEGIN; …; COMMIT) leave a connection in a failed transaction
 * where they fail, and nothing else may meet that.
 *
 * @throws whatever the database says; nothing is left running then.
 */
export async function startBoss({ database, databaseUrl, log }: BossOptions): Promise<PgBoss> {
  // Loaded here: an installation that sends no webhooks never needs it.
  const { PgBoss: Boss, fromPglite } = await import('pg-boss');
  const { pglite } = database;
  const boss = new Boss({
    ...(pglite === null
      ? {
          connectionString: databaseUrl ?? '',
          max: connections,
          application_name: 'longhaul background',
          options: sessionOptions,
        }
      : { db: fromPglite(pglite), backend: 'pglite' }),
    schedule: false,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    maintenanceIntervalSeconds: 3_600,
    reindex: false,
    monitorVacuum: false,
  });
  // Without a listener an error would end the process. What failed is tried again by itself.
  boss.on('error', (error) => log.warn({ err: error }, 'the background queue met an error; it goes on'));
  try {
    await boss.start();
    return boss;
  } catch (error) {
    await stopBoss(boss);
    throw error;
  }
}

/** Does not wait for the work: whoever took it has settled it, or gives it up. May be called twice. */
export function stopBoss(boss: PgBoss): Promise<void> {
  return boss.stop({ graceful: false });
}
