import { useSignal } from '@preact/signals';
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks';
import { messageOf } from '../app/api.ts';
import { useShortcuts } from '../app/shortcuts.ts';
import { type Completion, completed, completionsAt, type KnownValues } from './filter-completion.ts';
import { type Filter, readText, textOf } from './job-filters.ts';
import { readKnownValues } from './known-values.ts';

interface QueryBoxProps {
  /** As the address has them. */
  filters: readonly Filter[];
  known: KnownValues;
  apply: (filters: readonly Filter[]) => void;
  /** Opens a job by any of its ids, or by its reference. @returns null, or why not */
  open: (id: string) => Promise<string | null>;
}

/** The one box: takes filters, with completion, and opens whatever id is pasted into it. */
export function QueryBox({ filters, known, apply, open }: QueryBoxProps) {
  const applied = textOf(filters);
  const text = useSignal(applied);
  const caret = useSignal(0);
  const expanded = useSignal(false);
  const active = useSignal(-1);
  const problem = useSignal<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  /** Where the caret goes once a completion is in the box: before the next key, or what is typed on would land elsewhere. */
  const completedTo = useRef<number | null>(null);
  const id = useId();
  useEffect(() => {
    text.value = applied;
    problem.value = null;
  }, [applied]);
  useShortcuts('List', [{ keys: '/', label: 'To the search', run: () => input.current?.select() }]);

  useLayoutEffect(() => {
    const { current: to } = completedTo;
    if (to === null) return;
    completedTo.current = null;
    input.current?.focus();
    input.current?.setSelectionRange(to, to);
  });

  const completions = completionsAt(text.value, caret.value, known);
  const { options } = completions;
  const shown = expanded.value && options.length > 0;

  const look = (element: HTMLInputElement) => {
    caret.value = element.selectionStart ?? element.value.length;
    active.value = -1;
  };
  const take = (completion: Completion) => {
    const next = completed(text.value, completions, completion);
    text.value = next.text;
    caret.value = next.caret;
    active.value = -1;
    completedTo.current = next.caret;
  };
  /** What was written; what cannot be meant as it is, and can only become one thing, is that. */
  const finished = () => {
    const [only, another] = options;
    if (shown && only !== undefined && another === undefined && readText(text.value).problem !== null) text.value = completed(text.value, completions, only).text.trimEnd();
    return text.value;
  };
  const submit = async (written: string) => {
    const read = readText(written);
    expanded.value = false;
    problem.value = read.problem;
    if (read.word !== null) problem.value = await open(read.word).catch(messageOf);
    else if (read.problem === null) apply(read.filters);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const down = event.key === 'ArrowDown';
      if (!shown) expanded.value = true;
      else if (down) active.value = (active.value + 1) % options.length;
      else active.value = active.value <= 0 ? options.length - 1 : active.value - 1;
      return;
    }
    // Tab completes what was begun; on an empty place it goes on to the next field, as anywhere.
    const begun = event.key === 'Tab' && active.value === -1 && completions.end > completions.start;
    const option = shown ? options[begun ? 0 : active.value] : undefined;
    if ((event.key === 'Enter' || event.key === 'Tab') && option !== undefined && !event.shiftKey) {
      event.preventDefault();
      take(option);
    } else if (event.key === 'Enter') void submit(finished());
    else if (event.key === 'Escape' && shown) expanded.value = false;
    else if (event.key === 'Escape') {
      text.value = applied;
      problem.value = null;
      input.current?.blur();
    }
  };
  const onPaste = (event: ClipboardEvent) => {
    const pasted = event.clipboardData?.getData('text').trim() ?? '';
    const whole = input.current !== null && input.current.selectionStart === 0 && input.current.selectionEnd === text.value.length;
    if (!whole || readText(pasted).word === null) return;
    event.preventDefault();
    text.value = pasted;
    void submit(pasted);
  };
  return (
    <div class="query-box">
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label="Filter jobs, or open one by its id"
        aria-autocomplete="list"
        aria-expanded={shown}
        aria-controls={`${id}-options`}
        aria-activedescendant={shown && active.value >= 0 ? `${id}-${active.value}` : undefined}
        aria-invalid={problem.value !== null}
        aria-describedby={problem.value === null ? undefined : `${id}-problem`}
        placeholder="Paste an id, or filter: status:FAILED type:demo"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
          problem.value = null;
          expanded.value = true;
          look(currentTarget);
        }}
        onFocus={({ currentTarget }) => {
          expanded.value = true;
          look(currentTarget);
          // Names are completed without it, and the next focus tries again.
          readKnownValues().catch(() => undefined);
        }}
        onClick={({ currentTarget }) => {
          expanded.value = true;
          look(currentTarget);
        }}
        onBlur={() => (expanded.value = false)}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
      />
      <ul id={`${id}-options`} class="popup" role="listbox" aria-label="Completions" hidden={!shown}>
        {options.map((option, at) => (
          <li
            key={option.text}
            id={`${id}-${at}`}
            role="option"
            aria-selected={at === active.value}
            // Before the input loses the focus.
            onMouseDown={(event) => {
              event.preventDefault();
              take(option);
            }}
          >
            <span>{option.text}</span>
            <span class="soft">{option.hint}</span>
          </li>
        ))}
      </ul>
      {problem.value !== null && (
        <p id={`${id}-problem`} class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </div>
  );
}
