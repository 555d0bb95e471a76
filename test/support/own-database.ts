import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { testDatabaseUrl } from './servers.ts';
import { onServer } from './template-servers.ts';

/** An empty database with its own role, which is not a superuser. Both are dropped after the test. */
export interface OwnDatabase {
  /** As the role. */
  url: string;
  name: string;
  setDefault(kind: 'DATABASE' | 'ROLE', parameter: string, value: string): Promise<void>;
  /** As the role. */
  sql(text: string): Promise<Record<string, unknown>[]>;
}

/** @param options for CREATE DATABASE */
export async function makeOwnDatabase(options = ''): Promise<OwnDatabase> {
  const name = `longhaul_test_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await onServer(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
  await onServer(`CREATE DATABASE ${name} OWNER ${name} ${options}`);
  onTestFinished(async () => {
    await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
    await onServer(`DROP ROLE ${name}`);
  });
  const url = Object.assign(new URL(testDatabaseUrl), { pathname: name, username: name, password }).href;
  return {
    url,
    name,
    setDefault: (kind, parameter, value) => {
      const text = parameter === 'search_path' || parameter === 'datestyle' ? value : pg.escapeLiteral(value);
      return onServer(`ALTER ${kind} ${name} SET ${parameter} = ${text}`);
    },
    sql: async (text) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        const { rows } = await client.query(text);
        return rows;
      } finally {
        await client.end();
      }
    },
  };
}
