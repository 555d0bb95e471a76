import { useSignal } from '@preact/signals';
import { chosenWorkspace } from '../app/chosen-workspace.ts';
import { useQuery } from '../app/use-query.ts';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { useRefresh } from '../app/use-refresh.ts';
import { href, route } from '../app/router.ts';
import { session } from '../app/session.ts';
import { Time } from '../app/time.tsx';
import { type ListedKeyFragment, ListKeysDocument, RevokeKeyDocument } from '../generated/api-keys.ts';
import { Answer } from '../ui/answer.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Empty } from '../ui/empty.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { pageOf, Pager } from '../ui/pager.tsx';
import { RefreshButton } from '../ui/refresh-button.tsx';
import { SecretDialog } from '../ui/secret-dialog.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { KeyForm } from './api-key-form.tsx';

/** The keys of a workspace. */
export function Screen() {
  const { loaded, reload } = useQuery(ListKeysDocument, { workspaceId: chosenWorkspace(), ...pageOf(route.value.params, 50) });
  const making = useSignal(false);
  const secret = useSignal<string | null>(null);
  const revoking = useSignal<ListedKeyFragment | null>(null);
  useRefresh(reload, null);
  const found = loaded.data?.node;
  const workspace = found?.kind === 'Workspace' ? found : null;
  const columns: readonly Column<ListedKeyFragment>[] = [
    { name: 'Name', cell: ({ name }) => <span class="cell-text" title={name}>{name}</span> },
    { name: 'Begins with', cell: ({ prefix }) => <code>{prefix}…</code> },
    { name: 'State', cell: ({ revokedAt }) => (revokedAt === null ? <Badge tone="good">Works</Badge> : <Badge>Revoked</Badge>) },
    { name: 'Rights', cell: ({ scopes }) => scopes.join(', ') },
    { name: 'Speaks', cell: ({ dialect }) => (dialect === 'NATIVE' ? 'Everything' : dialect) },
    { name: 'Last used', cell: ({ lastUsedAt }) => (lastUsedAt === null ? <span class="soft">never</span> : <Time at={lastUsedAt} relative />) },
    { name: 'Created', cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      name: 'Actions',
      kind: 'actions',
      cell: (key) =>
        key.revokedAt === null ? (
          <Button danger label={`Revoke ${key.name}`} onClick={() => (revoking.value = key)}>
            Revoke
          </Button>
        ) : null,
    },
  ];
  return (
    <ScreenFrame
      title={workspace === null ? 'Keys' : `Keys of ${workspace.name}`}
      actions={
        <>
          <a class="button" href={href(['workspaces'])}>
            Other workspaces
          </a>
          <Button primary disabled={workspace === null} onClick={() => (making.value = true)}>
            New key
          </Button>
          <RefreshButton reload={reload} />
        </>
      }
    >
      <Answer loaded={loaded} reload={reload}>
        {() =>
          workspace === null ? (
            <Empty title="There is no such workspace" />
          ) : workspace.apiKeys.edges.length === 0 ? (
            <Empty title="No keys">
              <p>Make one for each program and person, so that each can be revoked by itself.</p>
            </Empty>
          ) : (
            <>
              <Table caption="Keys" columns={columns} rows={workspace.apiKeys.edges.map(({ node }) => node)} keyOf={({ id }) => id} />
              <Pager page={workspace.apiKeys.pageInfo} order="oldest" />
            </>
          )
        }
      </Answer>
      {making.value && workspace !== null && (
        <KeyForm
          workspace={workspace}
          done={async (made) => {
            secret.value = made;
            await reload();
          }}
          onClose={() => (making.value = false)}
        />
      )}
      {secret.value !== null && (
        <SecretDialog title="New key" secret={secret.value} onClose={() => (secret.value = null)}>
          <p>It works from now on.</p>
        </SecretDialog>
      )}
      {revoking.value !== null && <Revocation apiKey={revoking.value} done={reload} onClose={() => (revoking.value = null)} />}
    </ScreenFrame>
  );
}

function Revocation({ apiKey: { id, name }, done, onClose }: { apiKey: ListedKeyFragment; done: () => Promise<void>; onClose: () => void }) {
  const own = session.value.state === 'signedIn' && session.value.viewer.apiKey?.id === id;
  const revoke = async () => {
    await mutate(RevokeKeyDocument, { input: { id } });
    await done();
    notify(`${name} is revoked.`);
  };
  return (
    <Confirm title={`Revoke ${name}?`} action="Revoke key" danger confirm={revoke} onClose={onClose}>
      <p>Whoever uses it is refused from now on, and so are the tokens that it made. It cannot be undone.</p>
      {own && <p>You are signed in with this key: this page will ask you for another one.</p>}
    </Confirm>
  );
}
