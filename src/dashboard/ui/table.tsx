import type { ComponentChildren } from 'preact';

/** A column of a table. */
export interface Column<Row> {
  name: string;
  /** Of its heading and cells; `number` right-aligns, `actions` has buttons, and stays in sight. */
  kind?: 'text' | 'number' | 'wide' | 'actions';
  cell: (row: Row) => ComponentChildren;
}

/**
 * A plain table. Where the page is narrow each row is a card, in which every cell has its column's name in front: its roles are named, as
 * some browsers take what is not laid out as a table for none.
 *
 * @param caption what it lists, for screen readers
 * @param keyOf what tells a row from the others
 */
export function Table<Row>({ caption, columns, rows, keyOf }: { caption: string; columns: readonly Column<Row>[]; rows: readonly Row[]; keyOf: (row: Row) => string }) {
  return (
    <div class="table-frame" role="region" aria-label={caption} tabIndex={0}>
      <table class="table cards" role="table">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" class={column.kind ?? 'text'}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} role="row">
              {columns.map((column) => (
                <td key={column.name} role="cell" class={column.kind ?? 'text'} data-title={column.name}>
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
