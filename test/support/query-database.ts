import pg from 'pg';

/** Runs one statement on a connection of its own, with no limit of time. */
export async function queryDatabase<Row>(url: string, sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(sql, [...parameters]);
    return rows;
  } finally {
    await client.end();
  }
}
