import { useRef } from 'preact/hooks';
import { go, href } from '../app/router.ts';
import { can } from '../app/session.ts';
import { allColumns, chosenColumns, type JobColumn } from './job-columns.tsx';
import type { JobList, Row } from './job-list.ts';
import type { Selection } from './job-selection.ts';

interface JobTableProps {
  list: JobList;
  selection: Selection;
  /** Told when more were chosen than can be. */
  onTooMany: () => void;
}

/** The rows. Each draws itself when its job changes. */
export function JobTable({ list, selection, onTooMany }: JobTableProps) {
  const rows = list.rows.value;
  const columns = allColumns.filter(({ name }) => chosenColumns.value.includes(name));
  const order = rows.map(({ id }) => id);
  const chosen = order.filter((id) => selection.has(id)).length;
  const selectable = can('WRITE');
  return (
    <div class="table-frame" role="region" aria-label="Jobs" tabIndex={0} aria-busy={list.busy.value}>
      <table class="table jobs">
        <caption class="unseen">Jobs, newest first</caption>
        <thead>
          <tr>
            {selectable && (
              <th scope="col" class="pick">
                <label>
                  <input
                    type="checkbox"
                    checked={chosen > 0 && chosen === rows.length}
                    ref={(box) => {
                      if (box !== null) box.indeterminate = chosen > 0 && chosen < rows.length;
                    }}
                    onChange={() => selection.togglePage(order) || onTooMany()}
                  />
                  <span class="unseen">All jobs on this page</span>
                </label>
              </th>
            )}
            {columns.map(({ name, title, kind }) => (
              <th key={name} scope="col" class={kind}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <JobRow key={row.id} row={row} columns={columns} selection={selectable ? selection : null} order={order} onTooMany={onTooMany} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface JobRowProps {
  row: Row;
  columns: readonly JobColumn[];
  /** Null where nothing can be done to jobs. */
  selection: Selection | null;
  order: readonly string[];
  onTooMany: () => void;
}

function JobRow({ row, columns, selection, order, onTooMany }: JobRowProps) {
  const job = row.job.value;
  // A change event does not tell of the shift key.
  const shift = useRef(false);
  const chosen = selection?.has(row.id) ?? false;
  const choose = () => {
    if (selection !== null && !selection.toggle(row.id, order, { range: shift.current })) onTooMany();
  };
  return (
    <tr data-job={row.id} class={chosen ? 'chosen' : undefined} onClick={(event) => openUnlessMeant(event, row.id)}>
      {selection !== null && (
        <td class="pick">
          <input
            type="checkbox"
            aria-label={`Choose ${job.type} ${job.uuid}`}
            checked={chosen}
            onClick={(event) => (shift.current = event.shiftKey)}
            onChange={choose}
          />
        </td>
      )}
      {columns.map(({ name, kind, title, cell }, at) => (
        <td key={name} class={`${kind} of-${name}`} data-title={title}>
          {at === 0 ? (
            <a href={href(['jobs', row.id])} class="open" aria-label={`${job.status.toLowerCase()} ${job.type} ${job.uuid}`}>
              {cell(job)}
            </a>
          ) : (
            cell(job)
          )}
        </td>
      ))}
    </tr>
  );
}

/** A click on the row opens its job, unless it was for something in it, or marked text. */
function openUnlessMeant({ target }: MouseEvent, id: string): void {
  if (target instanceof Element && target.closest('a, input, .pick') === null && getSelection()?.isCollapsed !== false) go(['jobs', id]);
}
