import type { Queryable } from '../database/queryable.ts';

/** The setting that holds the id of the workspace `default`. Names are not unique, so the name cannot identify it. */
export const defaultWorkspaceSetting = 'default_workspace';

/** The id of the workspace `default`. Only its keys may have WORK_ALL and ADMIN. */
export async function defaultWorkspaceId(database: Queryable): Promise<string> {
  const [row] = await database.query<{ value: string }>('SELECT value FROM setting WHERE name = $1', [defaultWorkspaceSetting]);
  if (row === undefined) throw new Error('The workspace `default` is missing. Start the API once to create it.');
  return row.value;
}
