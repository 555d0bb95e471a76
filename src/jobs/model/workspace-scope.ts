/** A workspace id, or null for all workspaces (WORK_ALL). */
export type WorkspaceScope = string | null;
