import { type Migration, sql } from '../migrate/step.ts';

/**
 * Credits are bigint, so that no refund can overflow the balance. Each step writes its table anew under an exclusive lock,
 * which is right only because the upgrade to this version needs a stop anyway (see job-life). A later version has to add a
 * column and fill it in batches instead.
 */
export const creditsBigint: Migration = {
  name: '2026-11-26-credits-bigint',
  oldestVersion: null,
  steps: [
    sql('workspace.credits is bigint', `alter table "workspace" alter column "credits" type bigint`),
    sql(
      'amounts of credit_transaction are bigint',
      `alter table "credit_transaction" alter column "amount" type bigint, alter column "balance_after" type bigint`,
    ),
  ],
};
