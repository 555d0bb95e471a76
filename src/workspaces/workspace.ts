import type { Shown } from '../database/columns.ts';
import type { WorkspaceEntity } from './entities.ts';

/** A tenant. Everything except the installation's own settings belongs to a workspace. */
export type Workspace = Shown<typeof WorkspaceEntity>;
