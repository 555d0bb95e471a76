import { useSignal } from '@preact/signals';
import { useQuery } from '../app/use-query.ts';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { useRefresh } from '../app/use-refresh.ts';
import { href, route } from '../app/router.ts';
import { GrantDialog } from '../credits/grant-dialog.tsx';
import { ChangeWorkspaceDocument, type ListedWorkspaceFragment, ListWorkspacesDocument } from '../generated/workspaces.ts';
import { Answer } from '../ui/answer.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Empty } from '../ui/empty.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { pageOf, Pager } from '../ui/pager.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { WorkspaceForm } from './workspace-form.tsx';

type Asked = { what: 'make' } | { what: 'change' | 'pause' | 'grant'; workspace: ListedWorkspaceFragment };

/** Every tenant of the installation. */
export function Screen() {
  const { loaded, reload } = useQuery(ListWorkspacesDocument, pageOf(route.value.params, 50));
  const asked = useSignal<Asked | null>(null);
  // Balances move, and no subscription reaches into other workspaces.
  useRefresh(reload, 30);
  const close = () => (asked.value = null);
  const columns: readonly Column<ListedWorkspaceFragment>[] = [
    { name: 'Workspace', cell: ({ name }) => <span class="cell-text" title={name}>{name}</span> },
    { name: 'State', cell: ({ paused }) => (paused ? <Badge tone="warn">Paused</Badge> : <Badge tone="good">On</Badge>) },
    { name: 'Jobs at once', kind: 'number', cell: ({ concurrencyLimit: limit }) => (limit === null ? <span class="soft">no limit</span> : limit.toLocaleString('en')) },
    { name: 'Credits', kind: 'number', cell: ({ credits }) => credits.toLocaleString('en') },
    {
      name: 'See',
      cell: ({ id, name }) => (
        <span class="row-actions">
          <a href={href(['keys'], { workspace: id })} aria-label={`Keys of ${name}`}>
            Keys
          </a>
          <a href={href(['audit'], { workspace: id })} aria-label={`Audit of ${name}`}>
            Audit
          </a>
        </span>
      ),
    },
    {
      name: 'Actions',
      kind: 'actions',
      cell: (workspace) => (
        <span class="row-actions">
          <Button label={`Change ${workspace.name}`} onClick={() => (asked.value = { what: 'change', workspace })}>
            Change
          </Button>
          <Button label={`Add credits to ${workspace.name}`} onClick={() => (asked.value = { what: 'grant', workspace })}>
            Add credits
          </Button>
          <Button label={`${workspace.paused ? 'Resume' : 'Pause'} ${workspace.name}`} onClick={() => (asked.value = { what: 'pause', workspace })}>
            {workspace.paused ? 'Resume' : 'Pause'}
          </Button>
        </span>
      ),
    },
  ];
  return (
    <ScreenFrame
      title="Workspaces"
      actions={
        <>
          <Button primary onClick={() => (asked.value = { what: 'make' })}>
            New workspace
          </Button>
          <RefreshButton reload={reload} />
        </>
      }
    >
      <Answer loaded={loaded} reload={reload}>
        {({ workspaces }) =>
          workspaces.edges.length === 0 ? (
            <Empty title="No workspaces" />
          ) : (
            <>
              <Table caption="Workspaces" columns={columns} rows={workspaces.edges.map(({ node }) => node)} keyOf={({ id }) => id} />
              <Pager page={workspaces.pageInfo} order="oldest" />
            </>
          )
        }
      </Answer>
      {asked.value !== null && <Question asked={asked.value} done={reload} onClose={close} />}
    </ScreenFrame>
  );
}

function Question({ asked, done, onClose }: { asked: Asked; done: () => Promise<void>; onClose: () => void }) {
  if (asked.what === 'make') return <WorkspaceForm workspace={null} done={done} onClose={onClose} />;
  const { workspace } = asked;
  if (asked.what === 'change') return <WorkspaceForm workspace={workspace} done={done} onClose={onClose} />;
  if (asked.what === 'grant') return <GrantDialog workspace={workspace} done={done} onClose={onClose} />;
  const { id, name, paused } = workspace;
  const change = async () => {
    await mutate(ChangeWorkspaceDocument, { input: { id, paused: !paused } });
    await done();
    notify(paused ? `${name} goes on.` : `${name} is paused.`);
  };
  return (
    <Confirm title={paused ? `Resume ${name}?` : `Pause ${name}?`} action={paused ? 'Resume' : 'Pause'} confirm={change} onClose={onClose}>
      <p>{paused ? 'Its jobs start again.' : 'All of its jobs wait until it is resumed. What runs goes on, and new jobs are still accepted.'}</p>
    </Confirm>
  );
}
