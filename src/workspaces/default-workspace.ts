import type { Queryable } from '../database/queryable.ts';

/** The setting that names the workspace `default`; another workspace may bear the same name. */
export const defaultWorkspaceSetting = 'default_workspace';

/** The workspace whose keys alone may have WORK_ALL and ADMIN. */
export async function defaultWorkspaceId(database: Queryable): Promise<string> {
  const [row] = await database.query<{ value: string }>('SELECT value FROM setting WHERE name = $1', [defaultWorkspaceSetting]);
  if (row === undefined) throw new Error('The workspace `default` is missing: start the API once to create it.');
  return row.value;
}
