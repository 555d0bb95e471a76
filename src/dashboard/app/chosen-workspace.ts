import { route } from './router.ts';
import { session } from './session.ts';

/** The workspace that an administrator's address names; else the key's own. */
export function chosenWorkspace(): string {
  const own = session.value.state === 'signedIn' ? session.value.viewer.workspace.id : '';
  return route.value.params.get('workspace') ?? own;
}
