import { Button } from '../ui/button.tsx';
import { useClosing } from '../ui/use-closing.ts';
import { showShortcutHelp } from './shortcut-help.tsx';
import { notify } from './notices.tsx';
import { signOut, type Viewer } from './session.ts';
import { theme, themes } from './theme.ts';
import { zone, zones } from './time.tsx';

/** Who is signed in, how the page looks, and the way out. */
export function AccountMenu({ viewer }: { viewer: Viewer }) {
  const { ref } = useClosing();
  return (
    <details class="account" ref={ref}>
      <summary aria-label={`Workspace ${viewer.workspace.name}: appearance, keys, sign out`}>{viewer.workspace.name}</summary>
      <div class="popup account-menu">
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
          <Button onClick={showShortcutHelp}>Keys (?)</Button>
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
