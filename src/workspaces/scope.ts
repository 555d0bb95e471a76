/**
 * What a key may do. READ reads; WRITE creates, cancels, retries; WORK claims and works in the key's workspace;
 * WORK_ALL in every workspace; ADMIN administers. The last two only keys of the workspace `default` can have.
 */
export const scopes = ['READ', 'WRITE', 'WORK', 'WORK_ALL', 'ADMIN'] as const;

export type Scope = (typeof scopes)[number];
