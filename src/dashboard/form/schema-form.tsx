import { useId } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import type { Control, ControlField } from './controls.ts';
import { type Draft, type DraftIssue, draftOf, emptyDraft, newKey } from './drafts.ts';
import { SourceInput } from './source-input.tsx';
import './form.css';

interface PartProps<Kind extends Control['kind'] = Control['kind']> {
  control: Control & { kind: Kind };
  draft: Draft;
  change: (draft: Draft) => void;
  label: string;
  required: boolean;
  path: readonly string[];
  context: FormContext;
}

/** What all parts of one form share. */
interface FormContext {
  issues: readonly DraftIssue[];
  /** Shows what was hidden, where that may be asked for. */
  reveal: (() => void) | null;
  /** Told while a file is on its way: then the form is not complete. */
  uploading: (path: readonly string[], busy: boolean) => void;
}

/** The fields of an input, by the schema of its type. */
export function SchemaForm({ control, draft, change, context }: { control: Control; draft: Draft; change: (draft: Draft) => void; context: FormContext }) {
  if (control.kind !== 'fields' || (draft.kind !== 'fields' && draft.kind !== 'unset')) {
    return <Part control={control} draft={draft} change={change} label="Input" required path={['input']} context={context} />;
  }
  return (
    <div class="schema-fields">
      <Fields control={control} draft={draft} change={change} label="" required path={['input']} context={context} />
    </div>
  );
}

/** One place of the input. */
function Part(props: PartProps) {
  const { control, draft, change, label, path, context } = props;
  // What the control cannot show is edited as JSON.
  if (draft.kind === 'json' || control.kind === 'json') return <JsonPart {...props} />;
  if (draft.kind === 'hidden') return <HiddenPart {...props} />;
  switch (control.kind) {
    case 'list':
      return <List {...props} control={control} />;
    case 'fields':
      return (
        <Group label={label} required={props.required} description={control.description} path={path} context={context} clear={draft.kind === 'unset' ? null : () => change(emptyDraft(control))}>
          <Fields {...props} control={control} />
        </Group>
      );
    default:
      return <Simple {...props} control={control} />;
  }
}

function Simple(props: PartProps<'text' | 'number' | 'boolean' | 'choice'>) {
  const { control, draft, change, path, context } = props;
  const put = (value: string) => change(value === '' ? { kind: 'unset' } : { kind: 'typed', text: value });
  const onInput = ({ currentTarget }: { currentTarget: { value: string } }) => put(currentTarget.value);
  return (
    <Field label={labelOf(props)} hint={hintOf(control)} error={errorAt(context, path)}>
      {(field) => {
        const attributes = { ...field, 'aria-required': props.required };
        if (control.kind === 'boolean' || control.kind === 'choice') {
          const values = control.kind === 'boolean' ? ['true', 'false'] : control.values;
          const chosen = draft.kind === 'value' ? JSON.stringify(draft.value) : '';
          return (
            <select
              {...attributes}
              value={chosen}
              onChange={({ currentTarget: { value } }) => change(value === '' ? { kind: 'unset' } : draftOf(control, JSON.parse(value)))}
            >
              <option value="">{draft.kind === 'value' && chosen === 'null' ? 'null' : notGiven(control)}</option>
              {values.map((value) => (
                <option key={value} value={value}>
                  {control.kind === 'boolean' ? (value === 'true' ? 'Yes' : 'No') : choiceText(value)}
                </option>
              ))}
            </select>
          );
        }
        const text = draft.kind === 'typed' ? draft.text : '';
        const placeholder = draft.kind === 'value' ? 'null' : (otherwiseText(control) ?? undefined);
        if (control.secret) return <input {...attributes} type="password" autocomplete="new-password" value={text} placeholder={placeholder} onInput={onInput} />;
        if (control.kind === 'number') return <input {...attributes} inputMode="decimal" autocomplete="off" value={text} placeholder={placeholder} onInput={onInput} />;
        if (control.source) return <SourceInput attributes={attributes} text={text} placeholder={placeholder} change={put} uploading={(busy) => context.uploading(path, busy)} />;
        if (control.long) return <textarea {...attributes} rows={4} value={text} placeholder={placeholder} onInput={onInput} />;
        return <input {...attributes} autocomplete="off" spellcheck={false} value={text} placeholder={placeholder} onInput={onInput} />;
      }}
    </Field>
  );
}

function HiddenPart({ control, change, path, context, ...props }: PartProps) {
  const typed = control.kind === 'text' || control.kind === 'number';
  return (
    <Field label={labelOf({ control, path, ...props })} hint="It was given before, and is hidden. To take it over is noted in the audit." error={errorAt(context, path)}>
      {(field) => (
        <div class="row">
          {typed ? (
            <input {...field} class="grow" type="password" autocomplete="new-password" placeholder="•••" onInput={({ currentTarget }) => change({ kind: 'typed', text: currentTarget.value })} />
          ) : (
            <input {...field} class="grow" readOnly value="•••" />
          )}
          {context.reveal !== null && (
            <Button onClick={context.reveal} label={`Take over ${props.label}`}>
              Take over
            </Button>
          )}
          <Button onClick={() => change(emptyDraft(control))} label={`Fill in anew: ${props.label}`}>
            Fill in anew
          </Button>
        </div>
      )}
    </Field>
  );
}

function JsonPart(props: PartProps) {
  const { control, draft, change, path, context } = props;
  const text = draft.kind === 'json' ? draft.text : draft.kind === 'value' ? JSON.stringify(draft.value) : '';
  return (
    <Field label={<>{labelOf(props)}, as JSON</>} hint={hintOf(control)} error={errorAt(context, path, true)}>
      {(field) => (
        <textarea
          {...field}
          class="mono"
          aria-required={props.required}
          spellcheck={false}
          rows={Math.min(16, Math.max(3, text.split('\n').length + 1))}
          value={text}
          onInput={({ currentTarget }) => change({ kind: 'json', text: currentTarget.value })}
        />
      )}
    </Field>
  );
}

function List(props: PartProps<'list'>) {
  const { control, draft, change, path, context, label } = props;
  const items = draft.kind === 'list' ? draft.items : [];
  const put = (next: typeof items) => change({ kind: 'list', items: next });
  return (
    <Group label={label} required={props.required} description={hintOf(control) ?? null} path={path} context={context} clear={draft.kind === 'unset' ? null : () => change({ kind: 'unset' })}>
      {items.map(({ key, draft: item }, at) => (
        <div key={key} class="schema-entry">
          <Part
            control={control.item}
            draft={item}
            change={(next) => put(items.with(at, { key, draft: next }))}
            label={`${control.item.title ?? 'Entry'} ${at + 1}`}
            required
            path={[...path, String(at)]}
            context={context}
          />
          <Button quiet label={`Remove entry ${at + 1} of ${label}`} onClick={() => put(items.toSpliced(at, 1))}>
            Remove
          </Button>
        </div>
      ))}
      <div>
        <Button onClick={() => put([...items, { key: newKey(), draft: emptyDraft(control.item) }])} label={`Add to ${label}`}>
          Add
        </Button>
      </div>
    </Group>
  );
}

function Fields({ control, draft, change, path, context }: PartProps<'fields'>) {
  const filled = draft.kind === 'fields' ? draft : { kind: 'fields' as const, drafts: {}, others: '' };
  const put = ({ name }: ControlField, next: Draft) => change({ ...filled, drafts: { ...filled.drafts, [name]: next } });
  return (
    <>
      {control.fields.map((field) => (
        <Part
          key={field.name}
          control={field.control}
          draft={filled.drafts[field.name] ?? emptyDraft(field.control)}
          change={(next) => put(field, next)}
          label={field.control.title ?? field.name}
          required={field.required}
          path={[...path, field.name]}
          context={context}
        />
      ))}
      {control.open && (
        <details class="schema-others" open={filled.others !== '' || control.fields.length === 0}>
          <summary>Other fields</summary>
          <Field label="Other fields, as JSON" hint='An object with what the fields above are not for, such as {"name": "value"}.' error={otherError(control, context, path)}>
            {(field) => (
              <textarea {...field} class="mono" spellcheck={false} rows={4} value={filled.others} onInput={({ currentTarget }) => change({ ...filled, others: currentTarget.value })} />
            )}
          </Field>
        </details>
      )}
    </>
  );
}

function labelOf({ control, label, required, path }: Pick<PartProps, 'control' | 'label' | 'required' | 'path'>): ComponentChildren {
  const name = path.at(-1) ?? '';
  const inList = /^\d+$/.test(name);
  return (
    <>
      {label}
      {required && !inList && <Required />}
      {control.title !== null && control.title !== name && !inList && <code class="schema-name">{name}</code>}
    </>
  );
}

function Required() {
  return (
    <span class="schema-required">
      <span aria-hidden="true">*</span>
      <span class="unseen"> required</span>
    </span>
  );
}

function hintOf({ description, bounds }: Control): string | undefined {
  const said = [description, bounds === null ? null : `${bounds.slice(0, 1).toUpperCase()}${bounds.slice(1)}.`].filter((one) => one !== null);
  return said.length === 0 ? undefined : said.join(' ');
}

function notGiven(control: Control): string {
  const text = otherwiseText(control);
  return text === null ? 'Not given' : `Not given: ${text}`;
}

/** What is taken where it is not given. */
function otherwiseText({ kind, otherwise }: Control): string | null {
  if (otherwise === null) return null;
  return kind === 'boolean' ? (otherwise === 'true' ? 'yes' : 'no') : choiceText(otherwise);
}

function choiceText(json: string): string {
  const value: unknown = JSON.parse(json);
  return typeof value === 'string' ? value : json;
}

/** What is wrong at a path; with `deep`, also what is wrong below it. */
function errorAt({ issues }: FormContext, path: readonly string[], deep = false): string | null {
  const found = issues.find((issue) => path.every((part, at) => issue.path[at] === part) && (deep || issue.path.length === path.length));
  if (found === undefined) return null;
  const below = found.path.slice(path.length);
  return below.length === 0 ? found.message : `${below.join('.')}: ${found.message}`;
}

/** What is wrong with an entry that has no field. */
function otherError({ fields }: Control & { kind: 'fields' }, { issues }: FormContext, path: readonly string[]): string | null {
  const found = issues.find((issue) => {
    const name = issue.path[path.length];
    return name !== undefined && path.every((part, at) => issue.path[at] === part) && fields.every((field) => field.name !== name);
  });
  return found === undefined ? null : `${found.path.slice(path.length).join('.')}: ${found.message}`;
}

function Group({ label, required, description, path, context, clear, children }: { label: string; required: boolean; description: string | null; path: readonly string[]; context: FormContext; clear: (() => void) | null; children: ComponentChildren }) {
  const id = useId();
  const error = errorAt(context, path);
  return (
    <fieldset class="schema-group" aria-describedby={`${id}-about`}>
      <legend>
        {label}
        {required && <Required />}
      </legend>
      <div id={`${id}-about`}>
        {description !== null && <div class="hint">{description}</div>}
        {error !== null && (
          <div class="problem" role="alert">
            {error}
          </div>
        )}
      </div>
      {children}
      {clear !== null && !required && (
        <div>
          <Button quiet onClick={clear} label={`Leave out ${label}`}>
            Leave out
          </Button>
        </div>
      )}
    </fieldset>
  );
}
