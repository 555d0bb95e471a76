import type { TableDifference } from '@mikro-orm/sql';

/** A column that Longhaul knows and one that it does not may have been taken for one that was renamed: only people know. */
export function columnsOf({ addedColumns, removedColumns, renamedColumns }: TableDifference) {
  return {
    missing: [...Object.keys(addedColumns).filter((name) => !(name in removedColumns)), ...Object.values(renamedColumns).map(({ name }) => name)],
    unknown: [...Object.keys(removedColumns).filter((name) => !(name in addedColumns)), ...Object.keys(renamedColumns)],
    regenerated: Object.keys(addedColumns).filter((name) => name in removedColumns),
  };
}

/** Everything of a table that Longhaul does not know and that keeps nobody from writing. */
export function unknownIn(table: TableDifference): string[] {
  return [
    ...columnsOf(table).unknown.map((name) => `the column ${table.name}.${name}`),
    ...passiveIndexes(table).map((name) => `the index ${name}`),
    ...Object.keys(table.removedTriggers).map((name) => `the trigger ${name}`),
  ];
}

function passiveIndexes({ removedIndexes, addedIndexes }: TableDifference): string[] {
  return Object.entries(removedIndexes).flatMap(([name, { unique, primary }]) => (unique || primary || name in addedIndexes ? [] : [name]));
}

/** They come back with the tables that are missing. */
export function withoutForeignKeys(table: TableDifference): TableDifference {
  return { ...table, addedForeignKeys: {}, changedForeignKeys: {}, removedForeignKeys: {} };
}

/** What else has changed of a table, except for what is only told. */
export function withoutColumns(table: TableDifference): TableDifference {
  const passive = new Set(passiveIndexes(table));
  const removedIndexes = Object.fromEntries(Object.entries(table.removedIndexes).filter(([name]) => !passive.has(name)));
  const rest = { ...table, addedColumns: {}, changedColumns: {}, removedColumns: {}, renamedColumns: {}, removedIndexes };
  // To take partitions back is to make the table anew.
  delete rest.changedPartitioning;
  return rest;
}

/** A difference that is none yet, for changes of columns one by one. */
export function onlyColumns({ name, fromTable, toTable }: TableDifference): TableDifference {
  const nothing = { addedIndexes: {}, changedIndexes: {}, removedIndexes: {}, renamedIndexes: {}, addedChecks: {}, changedChecks: {}, removedChecks: {} };
  const neither = { addedTriggers: {}, changedTriggers: {}, removedTriggers: {}, addedPolicies: {}, removedPolicies: {} };
  const columns = { addedColumns: {}, changedColumns: {}, removedColumns: {}, renamedColumns: {} };
  return { name, fromTable, toTable, ...columns, ...nothing, ...neither, addedForeignKeys: {}, changedForeignKeys: {}, removedForeignKeys: {} };
}
