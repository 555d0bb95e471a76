import { useSignal } from '@preact/signals';
import { useQuery } from '../app/use-query.ts';
import { useRefresh } from '../app/use-refresh.ts';
import { href, route } from '../app/router.ts';
import { can } from '../app/session.ts';
import { Time } from '../app/time.tsx';
import { type ListedScheduleFragment, ListSchedulesDocument } from '../generated/schedules.ts';
import { Answer } from '../ui/answer.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { pageOf, Pager } from '../ui/pager.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { ScheduleActions } from './schedule-actions.tsx';
import { ScheduleForm } from './schedule-form.tsx';
import { ScheduleState } from './schedule-state.tsx';

/** What creates jobs here again and again. */
export function Screen() {
  const { loaded, reload } = useQuery(ListSchedulesDocument, pageOf(route.value.params, 50));
  const making = useSignal(false);
  // An occurrence that creates no job is told by no subscription.
  useRefresh(reload, 15);
  const columns: readonly Column<ListedScheduleFragment>[] = [
    { name: 'Schedule', cell: ({ id, name }) => <a class="cell-text" href={href(['schedules', id])}>{name}</a> },
    { name: 'State', cell: (schedule) => <ScheduleState schedule={schedule} /> },
    { name: 'Type', cell: ({ type }) => <span class="cell-text" title={type}>{type}</span> },
    {
      name: 'When',
      cell: ({ cron, timeZone }) => (
        <>
          <code>{cron}</code> <span class="soft">{timeZone}</span>
        </>
      ),
    },
    { name: 'Next', cell: ({ nextRunAt }) => <Time at={nextRunAt} relative /> },
    { name: 'Last', cell: ({ lastRunAt }) => <Time at={lastRunAt} relative /> },
    ...(can('WRITE') ? [{ name: 'Actions', kind: 'actions' as const, cell: (schedule: ListedScheduleFragment) => <ScheduleActions schedule={schedule} done={reload} /> }] : []),
  ];
  return (
    <ScreenFrame
      title="Schedules"
      actions={
        <>
          {can('WRITE') && (
            <Button primary onClick={() => (making.value = true)}>
              New schedule
            </Button>
          )}
          <RefreshButton reload={reload} />
        </>
      }
    >
      <Answer loaded={loaded} reload={reload}>
        {({ workspace: { schedules } }) =>
          schedules.edges.length === 0 ? (
            <Empty title="No schedules">
              <p>A schedule creates a job again and again, for example each night at 3.{can('WRITE') ? '' : ' A key with WRITE makes one.'}</p>
            </Empty>
          ) : (
            <>
              <Table caption="Schedules" columns={columns} rows={schedules.edges.map(({ node }) => node)} keyOf={({ id }) => id} />
              <Pager page={schedules.pageInfo} order="oldest" />
            </>
          )
        }
      </Answer>
      {making.value && <ScheduleForm schedule={null} done={reload} onClose={() => (making.value = false)} />}
    </ScreenFrame>
  );
}
