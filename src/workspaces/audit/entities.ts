import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../json.ts';

/** What an entry may be about: types that have global ids. */
export type AuditTargetType = 'ApiKey' | 'BulkAction' | 'Job' | 'Schedule' | 'Workspace';

/**
 * Something that somebody with a key did, or was refused, apart from the daily work with jobs. Append-only: no statement of
 * this program changes or removes a row.
 */
export const AuditEntryEntity = defineEntity({
  name: 'AuditEntry',
  tableName: 'audit_entry',
  properties: {
    /** UUIDv7. Its time is that of the entry. */
    id: p.uuid().primary(),
    /** Where it is read: that of what it was done to; of what was refused, that of the key. */
    workspaceId: p.uuid(),
    /** One of `auditActions`. */
    action: p.text(),
    /** The key's name and prefix at that time. */
    actor: p.text().strictNullable(),
    targetType: p.text().$type<AuditTargetType>().strictNullable(),
    targetId: p.uuid().strictNullable(),
    /** `ok`, or an error's code. */
    outcome: p.text(),
    ipAddress: p.text().strictNullable(),
    details: p.json<JsonObject>().defaultRaw(`'{}'`),
  },
  indexes: [
    { name: 'audit_entry_workspace_index', properties: ['workspaceId', 'id'] },
    { name: 'audit_entry_action_index', properties: ['workspaceId', 'action', 'id'] },
  ],
});
