import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { Loading } from '../ui/loading.tsx';
import { useClosing } from '../ui/use-closing.ts';
import { answering } from './api.ts';
import { KeyHelp, showKeyHelp } from './key-help.tsx';
import { useShortcuts } from './keys.ts';
import { notify } from './notice.tsx';
import { firstScreen, screenOf, screens, type ScreenEntry, type ScreenModule } from './screens.ts';
import { go, href, route } from './router.ts';
import { can, signOut, type Viewer } from './session.ts';
import { theme, themes } from './theme.ts';
import { useTitle } from './title.ts';
import { zone, zones } from './time.tsx';

/** The frame around every screen: navigation, choices, whether the server answers. */
export function Shell({ viewer }: { viewer: Viewer }) {
  const { path } = route.value;
  const found = screenOf(path);
  const offered = screens.filter(({ key, scope }) => key !== undefined && can(scope ?? 'READ'));
  // Who is signed in already has no use for the address that signs in.
  const nowhere = path.length === 0 || path[0] === 'sign-in';
  useEffect(() => {
    if (nowhere) go(firstScreen, {}, { replace: true });
  }, [nowhere]);
  useShortcuts('Go to', offered.map(({ name, path: to, key }) => ({ keys: `g ${key}`, label: name, run: () => go([to]) })));
  const navigation = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow page the navigation scrolls sideways.
    navigation.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [path[0]]);
  useShortcuts('Everywhere', [{ keys: '?', label: 'This list', run: showKeyHelp }]);
  return (
    <div class="shell">
      <a class="skip" href="#content" onClick={skip}>
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href={href(firstScreen)} aria-label="Longhaul, to the jobs">
          Longhaul
        </a>
        <nav ref={navigation} aria-label="Screens">
          {offered.map(({ name, path: to }) => (
            <a key={to} href={href([to])} aria-current={path[0] === to ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <div class="choices">
          {!answering.value && (
            <span class="offline" role="status">
              Server not reachable
            </span>
          )}
          <Choices viewer={viewer} />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {found === null ? !nowhere && <Unknown /> : <Opened key={found.entry.path} {...found} />}
      </main>
      <KeyHelp />
    </div>
  );
}

/** The fragment is the address of the screen, so the link to the content is followed by hand. */
function skip(event: Event) {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function Choices({ viewer }: { viewer: Viewer }) {
  const { ref, onKeyDown } = useClosing();
  return (
    <details class="account" ref={ref} onKeyDown={onKeyDown}>
      <summary aria-label={`Workspace ${viewer.workspace.name}: appearance, keys, sign out`}>{viewer.workspace.name}</summary>
      <div class="account-menu">
        <p class="soft">
          {viewer.apiKey === null ? 'An access token' : `Key ${viewer.apiKey.name} (${viewer.apiKey.prefix}…)`}: {viewer.scopes.join(', ') || 'no rights'}
        </p>
        <label class="choice">
          Appearance
          <select value={theme.value} onChange={({ currentTarget }) => (theme.value = themes.find((one) => one === currentTarget.value) ?? 'system')}>
            <option value="system">As the system</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </label>
        <label class="choice">
          Times
          <select value={zone.value} onChange={({ currentTarget }) => (zone.value = zones.find((one) => one === currentTarget.value) ?? 'local')}>
            <option value="local">Local</option>
            <option value="UTC">UTC</option>
          </select>
        </label>
        <div class="row">
          <Button onClick={showKeyHelp}>Keys (?)</Button>
          <Button onClick={leave}>Sign out</Button>
        </div>
      </div>
    </details>
  );
}

async function leave(): Promise<void> {
  try {
    await signOut();
  } catch {
    notify('The server could not be reached, so you are still signed in. Try again.', { kind: 'failed' });
  }
}

/** A screen, from when its code is there. */
function Opened({ entry, parts }: { entry: ScreenEntry; parts: readonly string[] }) {
  const loaded = useSignal<{ Screen: ComponentType<{ parts: readonly string[] }> } | { error: unknown } | null>(null);
  useTitle(entry.name);
  useEffect(() => {
    let left = false;
    entry.load().then(
      (module: ScreenModule) => !left && (loaded.value = module),
      (error: unknown) => !left && (loaded.value = { error }),
    );
    return () => {
      left = true;
    };
  }, [entry]);
  const { value } = loaded;
  if (value === null) return <Loading />;
  // After an upgrade the old files are gone: only the page as a whole can be loaded again.
  if ('error' in value) return <Failure error={new Error('This screen could not be loaded. If the server was upgraded, load the page again.')} retry={() => location.reload()} />;
  const { Screen } = value;
  return <Screen parts={parts} />;
}

function Unknown() {
  useTitle('Not found');
  return (
    <Empty title="There is no such page">
      <a href={href(firstScreen)}>Go to the jobs</a>
    </Empty>
  );
}
