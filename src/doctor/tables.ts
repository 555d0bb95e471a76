import { DatabaseSchema, type DatabaseTable, SchemaComparator, type SchemaDifference, type TableDifference } from '@mikro-orm/sql';
import type { Database } from '../database/database.ts';
import type { ORM } from '../database/orm.ts';
import type { Damage, Found } from './examination.ts';
import { columnsOf, onlyColumns, unknownIn, withoutColumns, withoutForeignKeys } from './table-difference.ts';

/** The most unknown things that are named. */
const mostNamed = 5;

/** Changes of a column that lose nothing where they are taken back. */
const harmless: ReadonlySet<string> = new Set(['nullable', 'default', 'comment']);

/** The SQL that makes up for a part of the difference, statement by statement. It drops no table, no column and no row. */
type Mend = (part: Partial<SchemaDifference>) => string[];

/**
 * Whether the tables are still what the migrations have made. What Longhaul does not know is none of its business, only told:
 * another application may share the database. But it may also be what is missing, under another name, so beside it no remedy
 * makes anything anew.
 */
export async function examineTables({ orm }: Database): Promise<Found> {
  const difference = await differenceOf(orm);
  const ours: SchemaDifference = {
    ...difference,
    newTables: {},
    changedTables: {},
    removedTables: {},
    removedViews: {},
    removedRoutines: {},
    removedNativeEnums: [],
    removedNamespaces: new Set(),
    orphanedForeignKeys: [],
  };
  const mend: Mend = (part) =>
    orm.schema
      .diffToSQL({ ...ours, ...part }, { wrap: false, safe: true, dropTables: false })
      .split(/;\s*(?:\n|$)/)
      .flatMap((statement) => (statement.trim() === '' ? [] : [`${statement.trim()};`]));
  const missing = Object.entries(difference.newTables);
  const unknown = Object.values(difference.removedTables);
  const changed = Object.values(difference.changedTables).map((table) => (missing.length === 0 ? table : withoutForeignKeys(table)));
  return {
    damages: [
      ...missing.map(([key, table]) => missingTable(table, unknown, () => mend({ newTables: { [key]: table } }))),
      ...changed.flatMap((table) => damagesIn(table, (part) => mend({ changedTables: { [table.name]: part } }))),
      ...mend({}).map(changedBack),
    ],
    ...noteOf([...unknown.map(({ name }) => `the table ${name}`), ...changed.flatMap(unknownIn)]),
  };
}

async function differenceOf({ em, schema, config }: ORM): Promise<SchemaDifference> {
  const platform = em.getPlatform();
  const made = schema.getTargetSchema();
  const found = await DatabaseSchema.create(em.getConnection(), platform, config, undefined, made.getNamespaces());
  for (const each of [found, made]) each.prune(undefined, []);
  const difference = new SchemaComparator(platform).compare(found, made);
  // Other schemas are read, too, and may be those of other installations.
  const beside = Object.entries(difference.removedTables).filter(([, table]) => table.schema === undefined || table.schema === found.name);
  return { ...difference, removedTables: Object.fromEntries(beside) };
}

function missingTable(table: DatabaseTable, unknown: readonly DatabaseTable[], make: () => string[]): Damage {
  const what = `the table ${table.name} is missing`;
  const alike = unknown.filter((each) => table.getColumns().every(({ name }) => each.getColumn(name) !== undefined));
  const [first] = alike;
  return {
    what,
    remedy: remedyFor(
      (first === undefined ? unknown : alike).map(({ name }) => name),
      first === undefined ? null : `ALTER TABLE ${first.getQuotedName()} RENAME TO "${table.name}";`,
      () => `this makes an empty table: ${make().join(' ')}`,
    ),
  };
}

function damagesIn(table: TableDifference, mend: (part: TableDifference) => string[]): Damage[] {
  const { missing, unknown, regenerated } = columnsOf(table);
  // Indexes and constraints of a column that is missing come back with it.
  const rest =
    missing.length === 0
      ? mend(withoutColumns(table))
      : mend({ ...onlyColumns(table), addedIndexes: table.addedIndexes }).filter((statement) => !missing.some((name) => statement.includes(name)));
  const quoted = table.fromTable.getQuotedName();
  return [
    ...missing.map((column) => {
      const added = table.toTable.getColumn(column);
      const alike = unknown.filter((name) => table.fromTable.getColumn(name)?.type === added?.type);
      const [first] = alike;
      return {
        what: `the column ${table.name}.${column} is missing`,
        remedy: remedyFor(
          first === undefined ? unknown : alike,
          first === undefined ? null : `ALTER TABLE ${quoted} RENAME COLUMN "${first.replaceAll('"', '""')}" TO "${column}";`,
          () => `this adds it, empty: ${added === undefined ? '' : mend({ ...onlyColumns(table), addedColumns: { [column]: added } }).join(' ')}`,
        ),
      };
    }),
    ...Object.entries(table.changedColumns).map(([name, change]) => {
      const properties = [...change.changedProperties];
      const back = mend({ ...onlyColumns(table), changedColumns: { [name]: change } });
      const was = `It is ${change.fromColumn.type} now, and was ${change.column.type}.`;
      return {
        what: `the column ${table.name}.${name} is not what the migrations made of it (${properties.join(', ')})`,
        remedy: properties.every((each) => harmless.has(each)) ? changedBack(back.join(' ')).remedy : `${was} Somebody has changed it. Look at its values before you change it back: what does not fit would be lost.`,
      };
    }),
    ...regenerated.map((name) => ({
      what: `the column ${table.name}.${name} is not what the migrations made of it (generated)`,
      remedy: 'Somebody has changed it. Look at its values before you change it back.',
    })),
    ...(table.changedPartitioning === undefined
      ? []
      : [{ what: `the table ${table.name} is divided into partitions otherwise than the migrations made it`, remedy: 'Somebody has changed it. Restore it from a backup.' }]),
    ...rest.map(changedBack),
  ];
}

/**
 * @param beside what Longhaul does not know and may be what is missing
 * @param back gives the first of them its name back; null where it has another shape
 * @param anew makes it without what it held: said only where nothing lies beside
 */
function remedyFor(beside: readonly string[], back: string | null, anew: () => string): string {
  if (beside.length === 0) return `Restore it from a backup. Without one, ${anew()}`;
  const example = beside.length > 1 ? ', for example' : '';
  const how = back === null ? 'If that holds its data, make it what it was.' : `If that holds its data, give it its name back${example}: ${back}`;
  return `It may have been renamed: beside it is ${named(beside)}, which Longhaul does not know. ${how} If not, restore it from a backup.`;
}

function changedBack(statement: string): Damage {
  return { what: 'a table is not what the migrations made of it', remedy: `Somebody has changed it. This would restore it: ${statement}` };
}

function noteOf(unknown: readonly string[]): { seen?: string } {
  return unknown.length === 0 ? {} : { seen: `beside what Longhaul does not know: ${named(unknown)}` };
}

function named(names: readonly string[]): string {
  const more = names.length - mostNamed;
  return `${names.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
