import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { Empty } from '../ui/empty.tsx';
import { ScreenFrame } from '../ui/screen-frame.tsx';
import { expectHeading } from '../ui/heading.tsx';
import { AccountMenu } from './account-menu.tsx';
import { answering, limited } from './api.ts';
import { ShortcutHelp, showShortcutHelp } from './shortcut-help.tsx';
import { useShortcuts } from './shortcuts.ts';
import { firstScreen, screenOf, screens, type ScreenEntry } from './screens.ts';
import { go, href, route } from './router.ts';
import { can, type Viewer } from './session.ts';

/** The frame around every screen: navigation, choices, whether the server answers. */
export function Shell({ viewer }: { viewer: Viewer }) {
  const { path } = route.value;
  const found = screenOf(path);
  const offered = screens.filter(({ key, scope }) => key !== undefined && can(scope));
  // Who is signed in already has no use for the address that signs in.
  const nowhere = path.length === 0 || path[0] === 'sign-in';
  useEffect(() => {
    if (nowhere) go(firstScreen, {}, { replace: true });
  }, [nowhere]);
  useShortcuts('Go to', offered.map(({ name, path: to, key }) => ({ keys: `g ${key}`, label: name, run: () => go([to]) })));
  const place = path.join('/');
  const shown = useRef(place);
  useLayoutEffect(() => {
    if (shown.current !== place) expectHeading();
    shown.current = place;
  }, [place]);
  const navigation = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow page the navigation scrolls sideways.
    navigation.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [path[0]]);
  useShortcuts('Everywhere', [{ keys: '?', label: 'This list', run: showShortcutHelp }]);
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
          {answering.value && limited.value && (
            <span class="offline" role="status" title="This key has asked as often as it may in a minute. The page goes on by itself.">
              Too many requests
            </span>
          )}
          <AccountMenu viewer={viewer} />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {found === null ? (
          !nowhere && <Unknown />
        ) : can(found.screen.scope) ? (
          // Another job is another screen: nothing of the one before may stay.
          <found.screen.Screen key={place} parts={found.parts} />
        ) : (
          <NotAllowed screen={found.screen} />
        )}
      </main>
      <ShortcutHelp />
    </div>
  );
}

/** The fragment is the address of the screen, so the link to the content is followed by hand. */
function skip(event: Event) {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

/** For addresses that somebody with another key has handed on. */
function NotAllowed({ screen: { name, scope } }: { screen: ScreenEntry }) {
  return (
    <ScreenFrame title={name}>
      <Empty title="This key may not open it">
        <p>It takes a key with the scope {scope}. Sign out, and sign in with one.</p>
      </Empty>
    </ScreenFrame>
  );
}

function Unknown() {
  return (
    <ScreenFrame title="Not found">
      <Empty title="There is no such page">
        <a href={href(firstScreen)}>Go to the jobs</a>
      </Empty>
    </ScreenFrame>
  );
}
