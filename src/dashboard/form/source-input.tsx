import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { client, messageOf, noticed } from '../app/api.ts';
import { useNewest } from '../app/use-newest.ts';
import { Bar, percentText } from '../ui/bar.tsx';
import { Button } from '../ui/button.tsx';
import { bytesText } from '../ui/bytes.ts';
import type { FieldAttributes } from '../ui/field.tsx';

interface SourceInputProps {
  attributes: FieldAttributes;
  text: string;
  placeholder: string | undefined;
  change: (text: string) => void;
  uploading: (busy: boolean) => void;
}

/** Names a file: by URL, or by sending it. */
export function SourceInput({ attributes, text, placeholder, change, uploading }: SourceInputProps) {
  const sending = useSignal<{ name: string; done: number; total: number } | null>(null);
  const sent = useSignal<{ reference: string; name: string; bytes: number } | null>(null);
  const problem = useSignal<string | null>(null);
  const chosen = useRef<HTMLInputElement>(null);
  const abort = useRef<AbortController | null>(null);
  // While a file is on its way the rest of the form is filled in.
  const newestChange = useNewest(change);
  // A form that is left sends no more.
  useEffect(() => () => abort.current?.abort(), []);
  const send = async (file: File) => {
    const controller = new AbortController();
    abort.current = controller;
    problem.value = null;
    sending.value = { name: file.name, done: 0, total: file.size };
    uploading(true);
    try {
      const { reference } = await client.upload(file, {
        signal: controller.signal,
        onProgress: ({ done, total }) => (sending.value = { name: file.name, done, total }),
      });
      if (!controller.signal.aborted) {
        sent.value = { reference, name: file.name, bytes: file.size };
        newestChange.current(reference);
      }
    } catch (error) {
      if (!controller.signal.aborted) problem.value = messageOf(noticed(error));
    }
    sending.value = null;
    uploading(false);
  };
  const { value: now } = sending;
  return (
    <div class="source">
      <div class="source-line">
        <input
          {...attributes}
          autocomplete="off"
          spellcheck={false}
          value={text}
          placeholder={placeholder ?? 'https://… or a file'}
          onInput={({ currentTarget }) => change(currentTarget.value)}
        />
        <input
          ref={chosen}
          type="file"
          class="unseen"
          tabIndex={-1}
          aria-label="File to send"
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            currentTarget.value = '';
            if (file !== undefined) void send(file);
          }}
        />
        {now === null ? (
          <Button onClick={() => chosen.current?.click()}>Choose a file</Button>
        ) : (
          <Button onClick={() => abort.current?.abort()}>Stop</Button>
        )}
      </div>
      {now !== null && (
        <div class="source-progress" role="status">
          <Bar percentage={now.total === 0 ? null : (now.done / now.total) * 100} label={`Sending ${now.name}`} />
          <span class="soft">
            {now.name}: {now.total === 0 ? '' : `${percentText((now.done / now.total) * 100)} of `}
            {bytesText(now.total)}
          </span>
        </div>
      )}
      {sent.value !== null && sent.value.reference === text && (
        <span class="soft">
          {sent.value.name}, {bytesText(sent.value.bytes)}, is sent.
        </span>
      )}
      {problem.value !== null && (
        <span class="problem" role="alert">
          {problem.value}
        </span>
      )}
    </div>
  );
}
