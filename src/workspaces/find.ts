import type { EntityManager } from '@mikro-orm/core';
import type { Shown } from '../database/columns.ts';
import { inWindow, type Window } from '../database/keyset.ts';
import type { ApiKey } from './api-key.ts';
import { ApiKeyEntity, CreditTransactionEntity, WorkspaceEntity } from './entities.ts';
import type { Workspace } from './workspace.ts';

/** One ledger entry of a workspace. */
export type CreditTransaction = Shown<typeof CreditTransactionEntity>;

export function findWorkspace(em: EntityManager, id: string): Promise<Workspace | null> {
  return em.findOne(WorkspaceEntity, { id });
}

/** Lists all workspaces, for administrators. */
export function listWorkspaces(em: EntityManager, window: Window): Promise<Workspace[]> {
  const { where, options } = inWindow(window);
  return em.find(WorkspaceEntity, where, options);
}

/** Finds a key in any workspace, for administrators. */
export function findApiKey(em: EntityManager, id: string): Promise<ApiKey | null> {
  return em.findOne(ApiKeyEntity, { id });
}

export function listApiKeys(em: EntityManager, workspaceId: string, window: Window): Promise<ApiKey[]> {
  const { where, options } = inWindow(window);
  return em.find(ApiKeyEntity, { workspaceId, ...where }, options);
}

/** Returns null if the transaction does not exist or belongs to another workspace. */
export function findCreditTransaction(em: EntityManager, workspaceId: string, id: string): Promise<CreditTransaction | null> {
  return em.findOne(CreditTransactionEntity, { id, workspaceId });
}

export function listCreditTransactions(em: EntityManager, workspaceId: string, window: Window): Promise<CreditTransaction[]> {
  const { where, options } = inWindow(window);
  return em.find(CreditTransactionEntity, { workspaceId, ...where }, options);
}
