import { useClosing } from '../ui/use-closing.ts';
import { allColumns, chosenColumns, toggleColumn } from './job-columns.tsx';

/** Which columns are shown. */
export function ColumnMenu() {
  const { ref } = useClosing();
  return (
    <details class="column-menu" ref={ref}>
      <summary class="button">Columns</summary>
      <fieldset class="popup">
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
