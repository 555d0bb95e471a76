import type { ComponentChildren } from 'preact';
import { Button } from './button.tsx';
import { CopyButton } from './copy.tsx';
import { Dialog } from './dialog.tsx';

/** Shows a secret the only time that it can be seen. */
export function SecretDialog({ title, secret, children, onClose }: { title: string; secret: string; children: ComponentChildren; onClose: () => void }) {
  return (
    <Dialog
      title={title}
      closedBy="buttons"
      onClose={onClose}
      footer={
        <Button primary onClick={onClose}>
          I have kept it
        </Button>
      }
    >
      {children}
      <div class="row secret">
        <code class="grow">{secret}</code>
        <CopyButton text={secret} label="Copy the secret" />
      </div>
      <p class="soft">It is shown only now. Put it where secrets are kept.</p>
    </Dialog>
  );
}
