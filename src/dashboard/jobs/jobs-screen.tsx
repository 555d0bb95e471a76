import './jobs.css';
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import { query } from '../app/api.ts';
import { useShortcuts } from '../app/shortcuts.ts';
import { notify } from '../app/notices.tsx';
import { fromHere, go, href, route } from '../app/router.ts';
import { can } from '../app/session.ts';
import { zone } from '../app/time.tsx';
import { useTitle } from '../app/use-title.ts';
import { BulkDialog } from '../bulk/bulk-dialog.tsx';
import type { BulkActionKind } from '../generated/bulk.ts';
import { FindJobDocument, type JobFilter } from '../generated/jobs.ts';
import { Failure } from '../ui/failure.tsx';
import { Heading } from '../ui/heading.tsx';
import { Loading } from '../ui/loading.tsx';
import { ColumnMenu } from './column-menu.tsx';
import { ConnectionMark } from './connection-mark.tsx';
import { type Filter, filtersIn, paramsOf, problemWith, textOf } from './job-filters.ts';
import { jobFilterOf } from './filter-meaning.ts';
import { JobTable } from './job-table.tsx';
import { known, readKnownValues, scheduleId } from './known-values.ts';
import { JobList } from './job-list.ts';
import { NoJobs } from './no-jobs.tsx';
import { JobPager } from './job-pager.tsx';
import { QueryBox } from './query-box.tsx';
import { mostChosen, Selection } from './job-selection.ts';
import { SelectionBar } from './selection-bar.tsx';

/** Both outlive the screen, so that who comes back finds the list as it was. */
const list = new JobList();
const selection = new Selection();
let scrolled = { key: '', y: 0 };

/** The workspace's jobs, newest first, as they change. */
export function Screen() {
  useTitle('Jobs');
  const { params } = route.value;
  const key = params.toString();
  const filters = useMemo(() => filtersIn(params), [key]);
  const place = { next: params.get('next'), previous: params.get('previous') };
  const problem = useSignal<unknown>(null);
  const bulk = useSignal<{ kind: BulkActionKind; filter: JobFilter } | null>(null);
  const values = useComputed(() => ({ ...known.value, ...seenIn(list) }));

  const show = async () => {
    selection.chooseAmong(textOf(filters));
    problem.value = null;
    const onward = fromHere();
    try {
      const wrong = filters.map(problemWith).find((found) => found !== null);
      if (wrong !== undefined && wrong !== null) throw new Error(wrong);
      if (filters.some(({ name }) => name === 'schedule')) await readKnownValues();
      await list.show({ key, filter: jobFilterOf(filters, { now: Date.now(), utc: zone.value === 'UTC', scheduleId }), place });
      // Back at the newest: that page is the one that grows.
      if (place.previous !== null && list.page.value?.hasPreviousPage === false) onward(['jobs'], paramsOf(filters), { replace: true });
    } catch (error) {
      problem.value = error;
    }
  };
  useEffect(() => {
    void show();
  }, [key]);
  useEffect(() => () => list.leave(), []);
  useKeptScroll(key);

  const toFirstPage = () => {
    scrollTo({ top: 0 });
    if (place.next === null && place.previous === null) void list.reload();
    else showFiltered(filters);
  };
  useListKeys(toFirstPage);

  const rows = list.rows.value;
  const { value: page } = list.page;
  const error = problem.value ?? list.error.value;
  const unseen = list.unseen.value.size;
  return (
    <section class="screen jobs-screen">
      <header class="screen-head">
        <Heading>Jobs</Heading>
        <ConnectionMark live={list.live} retry={() => void list.reload()} />
        <QueryBox filters={filters} known={values.value} apply={showFiltered} open={openJob} />
        <ColumnMenu />
        {can('WRITE') && (
          <a class="button" href={href(['new'])}>
            New job
          </a>
        )}
      </header>
      <div class="unseen-jobs" role="status">
        {unseen > 0 && (
          <button type="button" class="button" onClick={toFirstPage}>
            {unseen.toLocaleString('en')} new
          </button>
        )}
      </div>
      {error !== null && <Failure error={error} retry={() => void show()} />}
      {error === null && page === null && <Loading rows={12} />}
      {error === null && page !== null && rows.length === 0 && <NoJobs filtered={filters.length > 0 || key !== ''} />}
      {error === null && rows.length > 0 && <JobTable list={list} selection={selection} onTooMany={tooMany} />}
      {error === null && page !== null && <JobPager page={page} filters={filters} place={place} />}
      {can('WRITE') && rows.length > 0 && <SelectionBar selection={selection} order={order()} start={(kind) => (bulk.value = { kind, filter: chosenFilter(filters) })} />}
      {bulk.value !== null && (
        <BulkDialog {...bulk.value} onClose={() => (bulk.value = null)} onEnd={() => void afterBulk()} />
      )}
    </section>
  );
}

function showFiltered(filters: readonly Filter[]): void {
  go(['jobs'], paramsOf(filters));
}

/** The jobs that are chosen, as a filter. */
function chosenFilter(filters: readonly Filter[]): JobFilter {
  if (!selection.everything.value) return { ids: [...selection.ids.value] };
  return jobFilterOf(filters, { now: Date.now(), utc: zone.value === 'UTC', scheduleId });
}

async function afterBulk(): Promise<void> {
  selection.clear();
  await list.reload();
}

/** Opens the job of this id; of a reference that several jobs have, the list of them. @returns null, or why not */
async function openJob(id: string): Promise<string | null> {
  const onward = fromHere();
  const { job, jobs } = await query(FindJobDocument, { id, reference: id });
  const [only, another] = jobs.edges;
  const found = job?.id ?? (another === undefined ? only?.node.id : undefined);
  if (found !== undefined) onward(['jobs', found]);
  else if (another !== undefined) onward(['jobs'], { reference: id });
  else return `No job has the id or the reference ${id}. To filter, write for example tag:${id}.`;
  return null;
}

function order(): string[] {
  return list.rows.value.map(({ id }) => id);
}

function tooMany(): void {
  notify(`At most ${mostChosen} jobs can be chosen one by one. Narrow the list with a filter, and choose all that match.`, { kind: 'failed' });
}

function move(step: number, extend: boolean): void {
  const id = selection.move(step, order(), { extend: extend && can('WRITE') });
  if (id !== null) document.querySelector<HTMLElement>(`tr[data-job="${id}"] .open`)?.focus();
}

/** The row that has the focus, or where the keyboard was last. */
function choose(): void {
  const row = document.activeElement?.closest<HTMLElement>('tr[data-job]')?.dataset['job'] ?? selection.current.value;
  if (row != null && !selection.toggle(row, order())) tooMany();
}

/** Keys of the list. The row that they are at has the focus, on the link that opens its job. */
function useListKeys(toFirstPage: () => void): void {
  const choosing = [
    { keys: 'x', label: 'Choose the job, or not', run: choose },
    { keys: 'J', label: 'Next job, choosing', run: () => move(1, true) },
    { keys: 'K', label: 'Previous job, choosing', run: () => move(-1, true) },
    { keys: 'a', label: 'Choose the whole page', run: () => selection.togglePage(order()) || tooMany() },
    { keys: 'Escape', label: 'Choose none', run: () => selection.clear() },
  ];
  useShortcuts('Jobs', [
    { keys: 'j', label: 'Next job', run: () => move(1, false) },
    { keys: 'k', label: 'Previous job', run: () => move(-1, false) },
    ...(can('WRITE') ? choosing : []),
    { keys: 'n', label: 'Show what is new', run: toFirstPage },
    { keys: 'p', label: 'Pause updates, or go on', run: () => list.live.pause(!list.live.paused) },
    { keys: ']', label: 'Older jobs', run: () => document.querySelector<HTMLElement>('a[rel=next]')?.click() },
    { keys: '[', label: 'Newer jobs', run: () => document.querySelector<HTMLElement>('a[rel=prev]')?.click() },
  ]);
}

/** Keeps how far the list was scrolled for who comes back to it. */
function useKeptScroll(key: string): void {
  useLayoutEffect(() => {
    if (scrolled.key === key && list.rows.value.length > 0) scrollTo({ top: scrolled.y });
    return () => {
      scrolled = { key, y: scrollY };
    };
  }, [key]);
}

/** Values of the jobs in sight, to complete. */
function seenIn({ rows }: JobList): { tags: string[]; errors: string[] } {
  const jobs = rows.value.map(({ job }) => job.peek());
  return { tags: distinct(jobs.flatMap(({ tags }) => tags)), errors: distinct(jobs.flatMap(({ error }) => error?.code ?? [])) };
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].toSorted();
}
