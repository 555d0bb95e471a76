/**
 * What a key may do. READ reads. WRITE creates, cancels and retries jobs. WORK claims and executes jobs of the key's
 * workspace, WORK_ALL those of every workspace. ADMIN administers. Only keys of the workspace `default` can have
 * WORK_ALL and ADMIN.
 */
export const scopes = ['READ', 'WRITE', 'WORK', 'WORK_ALL', 'ADMIN'] as const;

export type Scope = (typeof scopes)[number];
