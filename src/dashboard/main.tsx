import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/controls.css';
import './styles/marks.css';
import './styles/tables.css';
import './styles/dialogs.css';
import './styles/placeholders.css';
import './styles/content.css';
import { render } from 'preact';
import './app/theme.ts';
import { Notices } from './app/notices.tsx';
import { findSession, session } from './app/session.ts';
import { Shell } from './app/shell.tsx';
import { SignIn } from './sign-in/sign-in-screen.tsx';
import { Failure } from './ui/failure.tsx';
import { Loading } from './ui/loading.tsx';

function Page() {
  const { value } = session;
  return (
    <>
      {value.state === 'unknown' && <Loading />}
      {value.state === 'failed' && <Failure error={value.error} retry={() => void findSession()} />}
      {value.state === 'signedOut' && <SignIn />}
      {value.state === 'signedIn' && <Shell viewer={value.viewer} />}
      <Notices />
    </>
  );
}

const place = document.getElementById('page');
if (place !== null) render(<Page />, place);
void findSession();
