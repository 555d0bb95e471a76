import type { EntityManager } from '@mikro-orm/core';
import { SettingEntity } from '../database/setting.ts';

/** The setting that holds the id of the workspace `default`. Names are not unique, so the name cannot identify it. */
export const defaultWorkspaceSetting = 'default_workspace';

/** The id of the workspace `default`, in SQL; null before the first start of an API. */
export const sqlDefaultWorkspace = `(SELECT value::uuid FROM setting WHERE name = '${defaultWorkspaceSetting}')`;

/** The id of the workspace `default`. Only its keys may have WORK_ALL and ADMIN. */
export async function defaultWorkspaceId(em: EntityManager): Promise<string> {
  const setting = await em.findOne(SettingEntity, { name: defaultWorkspaceSetting });
  if (setting === null) throw new Error('The workspace `default` is missing. Start the API once to create it.');
  return setting.value;
}
