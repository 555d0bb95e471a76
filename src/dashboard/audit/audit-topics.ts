/** By what they are about. The schema has them as plain text; the README lists them. */
export const auditTopics = [
  { name: 'Keys and tokens', actions: ['api_key.create', 'api_key.revoke', 'access_token.create', 'sign_in.refused'] },
  { name: 'Bulk actions', actions: ['bulk_action.start', 'bulk_action.stop'] },
  { name: 'Credits', actions: ['credits.grant'] },
  { name: 'Secrets shown', actions: ['job.reveal'] },
  { name: 'Types', actions: ['job_type.update'] },
  { name: 'Schedules', actions: ['schedule.create', 'schedule.update', 'schedule.delete', 'schedule.trigger', 'schedule.occur'] },
  { name: 'Webhook secret', actions: ['webhook_secret.rotate'] },
  { name: 'Workspaces', actions: ['workspace.create', 'workspace.update'] },
] as const;
