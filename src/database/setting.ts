import { defineEntity, type EntityManager, p } from '@mikro-orm/core';

/** Settings of this installation, such as its id, which its processes and volumes share. */
export const SettingEntity = defineEntity({
  name: 'Setting',
  tableName: 'setting',
  properties: {
    name: p.text().primary(),
    value: p.text(),
  },
});

/**
 * Stores a setting, unless it is stored already, and resolves with the value that holds. In a transaction, others that do the
 * same wait for its end.
 */
export async function firstSetting(em: EntityManager, name: string, value: string): Promise<string> {
  await em.upsert(SettingEntity, { name, value }, { onConflictAction: 'ignore' });
  const setting = await em.findOneOrFail(SettingEntity, { name }, { refresh: true });
  return setting.value;
}
