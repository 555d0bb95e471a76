import './types.css';
import { useSignal } from '@preact/signals';
import { useQuery } from '../app/use-query.ts';
import { useRefresh } from '../app/use-refresh.ts';
import { href, route, setParams } from '../app/router.ts';
import { can } from '../app/session.ts';
import { durationText } from '../app/time.tsx';
import { type ListedTypeFragment, ListTypesDocument } from '../generated/types.ts';
import { Answer } from '../ui/answer.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Facts } from '../ui/facts.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { PauseQuestion } from './pause-question.tsx';
import { SchemaTable } from './schema-table.tsx';

/** The kinds of job that can be created. */
export function Screen() {
  const { loaded, reload } = useQuery(ListTypesDocument, {});
  // Workers and pauses are no changes of a job, so no subscription tells of them.
  useRefresh(reload, 15);
  const asked = useSignal<ListedTypeFragment | null>(null);
  const shown = route.value.params.get('show');
  const columns: readonly Column<ListedTypeFragment>[] = [
    { name: 'Type', cell: ({ name }) => <a class="cell-text" title={name} href={href(['types'], { show: name })}>{name}</a> },
    { name: 'State', cell: (type) => <State type={type} /> },
    { name: 'Built in', cell: ({ builtIn }) => (builtIn ? 'Yes' : <span class="soft">No</span>) },
    { name: 'Pending', kind: 'number', cell: ({ name, pending }) => (pending === 0 ? '0' : <a href={href(['jobs'], { status: 'PENDING', type: name })}>{pending.toLocaleString('en')}</a>) },
    { name: 'Workers', kind: 'number', cell: ({ liveWorkers }) => liveWorkers.toLocaleString('en') },
    { name: 'Credits', kind: 'number', cell: ({ credits }) => credits.toLocaleString('en') },
    { name: 'What it does', kind: 'wide', cell: ({ description }) => <span title={description}>{description}</span> },
    ...(can('WRITE') || can('ADMIN')
      ? [
          {
            name: 'Actions',
            kind: 'actions' as const,
            cell: (type: ListedTypeFragment) => (
              <span class="row-actions">
                {can('WRITE') && <a class="button" href={href(['new'], { type: type.name })} aria-label={`New job of type ${type.name}`}>New job</a>}
                {can('ADMIN') && (
                  <Button label={`${type.paused ? 'Resume' : 'Pause'} ${type.name}`} onClick={() => (asked.value = type)}>
                    {type.paused ? 'Resume' : 'Pause'}
                  </Button>
                )}
              </span>
            ),
          },
        ]
      : []),
  ];
  return (
    <ScreenFrame title="Types" actions={<RefreshButton reload={reload} />}>
      <Answer loaded={loaded} reload={reload} rows={12}>
        {({ jobTypes }) => {
          const opened = jobTypes.find(({ name }) => name === shown);
          return (
            <>
              <Table caption="Job types" columns={columns} rows={jobTypes} keyOf={({ name }) => name} />
              {opened !== undefined && <TypeDialog type={opened} />}
            </>
          );
        }}
      </Answer>
      {asked.value !== null && <PauseQuestion type={asked.value} done={reload} onClose={() => (asked.value = null)} />}
    </ScreenFrame>
  );
}

function State({ type: { paused, pending, liveWorkers } }: { type: ListedTypeFragment }) {
  if (paused) return <Badge tone="warn">Paused</Badge>;
  if (liveWorkers > 0) return <Badge tone="good">Ready</Badge>;
  return pending > 0 ? <Badge tone="bad">No worker</Badge> : <Badge>No worker</Badge>;
}

function TypeDialog({ type }: { type: ListedTypeFragment }) {
  const { name, description, builtIn, credits, maxAttempts, timeoutSeconds, inputSchema, outputSchema } = type;
  return (
    <Dialog title={name} large onClose={() => setParams({ show: null })}>
      <p>{description}</p>
      <Facts
        facts={[
          { name: 'State', value: <State type={type} /> },
          { name: 'Built in', value: builtIn ? 'Yes, the server takes it itself' : 'No' },
          { name: 'Credits for a job', value: credits.toLocaleString('en') },
          { name: 'Failed attempts allowed', value: maxAttempts },
          { name: 'Time for an attempt', value: durationText(timeoutSeconds * 1_000) },
        ]}
      />
      <h3>Input</h3>
      <SchemaTable name="Input" schema={inputSchema} />
      {outputSchema !== null && (
        <>
          <h3>Output</h3>
          <SchemaTable name="Output" schema={outputSchema} />
        </>
      )}
    </Dialog>
  );
}
