import './sign-in.css';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { go, route } from '../app/router.ts';
import { signIn, takeEnded } from '../app/session.ts';
import { useTitle } from '../app/use-title.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';

/**
 * Trades a key for a session, once. What is asked for by the address stays there, and is shown next. The address that the first start
 * prints, `#/sign-in?code=…`, needs no key.
 */
export function SignIn() {
  const key = useSignal('');
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const ended = useSignal(false);
  useEffect(() => void (ended.value = takeEnded()), []);
  useTitle('Sign in');
  const { path, params } = route.value;
  const code = path[0] === 'sign-in' ? params.get('code') : null;

  const enter = async (by: { key: string } | { code: string }) => {
    busy.value = true;
    problem.value = await signIn(by);
    busy.value = false;
  };
  useEffect(() => {
    if (code === null) return;
    // It is good for once, and has no business in the history.
    go([], {}, { replace: true });
    void enter({ code });
  }, [code]);
  const submit = (event: Event) => {
    event.preventDefault();
    const trimmed = key.value.trim();
    if (trimmed === '') problem.value = 'Enter an API key.';
    else void enter({ key: trimmed });
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit} class="card">
        <h1>Longhaul</h1>
        {ended.value && (
          <p class="warning" role="status">
            Your session has ended: its hours are over, or its key works no more. Sign in again.
          </p>
        )}
        {/* Password managers keep the key under a name. */}
        <input type="text" name="username" autocomplete="username" value="API key" readOnly hidden />
        <Field label="API key" error={problem.value} hint="The first start printed one, or an administrator gave you one. It is sent once; the browser then keeps a session for some hours.">
          {(field) => (
            <input
              {...field}
              type="password"
              autocomplete="current-password"
              spellcheck={false}
              autofocus
              value={key.value}
              onInput={({ currentTarget }) => (key.value = currentTarget.value)}
            />
          )}
        </Field>
        <Button type="submit" primary busy={busy.value}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
