import { createdAtOf } from '../../database/ids.ts';
import type { AuditEntry } from '../../workspaces/audit/list.ts';
import { builder, globalIdDescription } from '../builder.ts';
import { toGlobalId } from '../global-id.ts';

export const AuditEntryType = builder.objectRef<AuditEntry>('AuditEntry');

builder.objectType(AuditEntryType, {
  description: 'Something that somebody with a key did, or was refused, apart from the daily work with jobs. Nothing changes or removes it.',
  interfaces: [builder.nodeInterfaceRef()],
  fields: (t) => ({
    id: t.id({ nullable: false, description: globalIdDescription, resolve: ({ id }) => toGlobalId('AuditEntry', id) }),
    at: t.field({ type: 'DateTime', nullable: false, description: 'When it was done.', resolve: ({ id }) => createdAtOf(id) }),
    action: t.exposeString('action', {
      nullable: false,
      description: 'For example api_key.create, credits.grant, bulk_action.start, sign_in.refused. The README lists them.',
    }),
    actor: t.exposeString('actor', { nullable: true, description: "The key's name and prefix, as they were then; null where there was none." }),
    target: t.id({
      nullable: true,
      description: 'Global id of what it was done to.',
      resolve: ({ targetType, targetId }) => (targetType === null || targetId === null ? null : toGlobalId(targetType, targetId)),
    }),
    outcome: t.exposeString('outcome', { nullable: false, description: "ok, or an error's code." }),
    ipAddress: t.exposeString('ipAddress', { nullable: true, description: "The client's; null for what the server did by itself." }),
    details: t.field({
      type: 'JSONObject',
      nullable: false,
      description: 'What else is known, by action. Never a secret. Ids are global ones.',
      // The domain, which writes them, knows plain ones alone.
      resolve: ({ details }) => (typeof details['jobId'] === 'string' ? { ...details, jobId: toGlobalId('Job', details['jobId']) } : details),
    }),
  }),
});

export const AuditEntryConnection = builder.connectionObject(
  { type: AuditEntryType, name: 'AuditEntryConnection', description: 'A page of the audit.' },
  { name: 'AuditEntryEdge', description: 'An entry of the audit and its place in the list.' },
);
