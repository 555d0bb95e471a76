import type { ComponentChildren } from 'preact';

/** A column of a table. */
export interface Column<Row> {
  name: string;
  /** Of its heading and cells; `number` right-aligns. */
  kind?: 'text' | 'number' | 'wide';
  /** Left out below 640 px. */
  secondary?: boolean;
  cell: (row: Row) => ComponentChildren;
}

/**
 * A plain table.
 *
 * @param caption what it lists, for screen readers
 * @param keyOf what tells a row from the others
 */
export function Table<Row>({ caption, columns, rows, keyOf }: { caption: string; columns: readonly Column<Row>[]; rows: readonly Row[]; keyOf: (row: Row) => string }) {
  return (
    <div class="table-frame" role="region" aria-label={caption} tabIndex={0}>
      <table class="table">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" class={classOf(column)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td key={column.name} class={classOf(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function classOf<Row>({ kind = 'text', secondary = false }: Column<Row>): string {
  return secondary ? `${kind} secondary` : kind;
}
