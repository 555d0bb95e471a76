import { useClosing } from '../ui/use-closing.ts';
import { allColumns, chosenColumns, toggleColumn } from './job-columns.tsx';

/** Which columns are shown. */
export function ColumnMenu() {
  const { ref, onKeyDown } = useClosing();
  return (
    <details class="column-menu" ref={ref} onKeyDown={onKeyDown}>
      <summary class="button">Columns</summary>
      <fieldset>
        <legend class="unseen">Columns</legend>
        {allColumns.map(({ name, title }) => (
          <label key={name}>
            <input type="checkbox" checked={chosenColumns.value.includes(name)} disabled={name === 'status'} onChange={() => toggleColumn(name)} />
            {title}
          </label>
        ))}
      </fieldset>
    </details>
  );
}
