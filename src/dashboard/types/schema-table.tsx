import { Details } from '../ui/details.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { type SchemaRow, schemaRows } from './schema-rows.ts';

const columns: readonly Column<SchemaRow>[] = [
  { name: 'Field', cell: ({ path }) => <code>{path}</code> },
  { name: 'Type', cell: ({ type }) => type },
  { name: 'Needed', cell: ({ required }) => (required ? 'Yes' : <span class="soft">No</span>) },
  { name: 'Limits', cell: ({ limits }) => text(limits) },
  { name: 'Meaning', cell: ({ description }) => text(description) },
];

function text(content: string) {
  return content === '' ? null : <span class="schema-text">{content}</span>;
}

/** A JSON Schema as a table, and as it is. */
export function SchemaTable({ name, schema }: { name: string; schema: Record<string, unknown> }) {
  const rows = schemaRows(schema);
  const json = JSON.stringify(schema, null, 2);
  return (
    <>
      {rows.length === 0 ? <p class="soft">It names no fields.</p> : <Table caption={name} columns={columns} rows={rows} keyOf={({ path }) => path} />}
      <Details summary="JSON Schema">
        {() => (
          <>
            <CopyButton text={json} label={`Copy the JSON Schema of the ${name.toLowerCase()}`} />
            <pre class="raw" tabIndex={0}>
              {json}
            </pre>
          </>
        )}
      </Details>
    </>
  );
}
