import { hiddenText, hidesSomething, isJsonRecord, jsonText, roundedIn } from '../app/json-values.ts';
import type { Control, ControlField } from './controls.ts';

/** What somebody has filled in so far, which need not be right. */
export type Draft =
  /** Not given. */
  | { kind: 'unset' }
  /** As it was typed: of texts and numbers. */
  | { kind: 'typed'; text: string }
  /** Chosen, or kept from before: a value that the control has no other way to show, such as null. */
  | { kind: 'value'; value: unknown }
  /** JSON that is edited as a text. */
  | { kind: 'json'; text: string }
  | { kind: 'list'; items: readonly { key: number; draft: Draft }[] }
  | { kind: 'fields'; drafts: Readonly<Record<string, Draft>>; /** Entries that are in no field, as JSON. */ others: string }
  /** It was given before, and is not shown. */
  | { kind: 'hidden' };

/** What is wrong, at which place of the input. */
export interface DraftIssue {
  path: readonly string[];
  message: string;
}

let keys = 0;

/** Tells entries of a list apart while they move. */
export function newKey(): number {
  keys += 1;
  return keys;
}

/** The draft of a value. What does not fit into the control is edited as JSON, so that nothing is lost. @param value undefined: not given */
export function draftOf(control: Control, value: unknown): Draft {
  if (value === undefined) return emptyDraft(control);
  if (isHidden(control, value)) return { kind: 'hidden' };
  if (value === null) return { kind: 'value', value };
  switch (control.kind) {
    case 'text':
      return typeof value === 'string' ? { kind: 'typed', text: value } : asJson(value);
    case 'number':
      return typeof value === 'number' ? { kind: 'typed', text: String(value) } : asJson(value);
    case 'boolean':
      return typeof value === 'boolean' ? { kind: 'value', value } : asJson(value);
    case 'choice':
      return control.values.includes(JSON.stringify(value)) ? { kind: 'value', value } : asJson(value);
    case 'list':
      return Array.isArray(value) ? { kind: 'list', items: value.map((item: unknown) => ({ key: newKey(), draft: draftOf(control.item, item) })) } : asJson(value);
    case 'fields': {
      if (!isJsonRecord(value)) return asJson(value);
      const drafts = Object.fromEntries(control.fields.map(({ name, control: inner }) => [name, draftOf(inner, value[name])]));
      const others = Object.entries(value).filter(([name]) => control.fields.every((field) => field.name !== name));
      return { kind: 'fields', drafts, others: others.length === 0 ? '' : jsonText(Object.fromEntries(others)) };
    }
    case 'json':
      return asJson(value);
  }
}

/** A secret, or, where not even their names are told, all fields. */
function isHidden(control: Control, value: unknown): boolean {
  return (control.secret && value === hiddenText) || (isJsonRecord(value) && Object.hasOwn(value, hiddenText));
}

/** The draft with what was given before in place of what is hidden, and all else as it was filled in. @param value what was given there */
export function unhidden(control: Control, draft: Draft, value: unknown): Draft {
  if (draft.kind === 'hidden') return draftOf(control, value);
  if (draft.kind === 'fields' && control.kind === 'fields') {
    const given = isJsonRecord(value) ? value : {};
    const fields = control.fields.map(({ name, control: inner }) => [name, unhidden(inner, draft.drafts[name] ?? emptyDraft(inner), given[name])]);
    return { ...draft, drafts: Object.fromEntries(fields) };
  }
  if (draft.kind === 'list' && control.kind === 'list') {
    const given: unknown[] = Array.isArray(value) ? value : [];
    return { kind: 'list', items: draft.items.map(({ key, draft: item }, at) => ({ key, draft: unhidden(control.item, item, given[at]) })) };
  }
  return draft;
}

/** Where nothing was given yet. */
export function emptyDraft(control: Control): Draft {
  return control.kind === 'json' ? { kind: 'json', text: '' } : { kind: 'unset' };
}

function asJson(value: unknown): Draft {
  return { kind: 'json', text: jsonText(value) };
}

/** The value of a draft; undefined where it is not given, or cannot be read. @param issues where what is wrong is put */
export function valueOf(control: Control, draft: Draft, required: boolean, path: readonly string[], issues: DraftIssue[]): unknown {
  const wrong = (message: string) => {
    issues.push({ path, message });
    return undefined;
  };
  switch (draft.kind) {
    case 'unset':
      if (control.kind === 'fields') return readFields(control.fields, { kind: 'fields', drafts: {}, others: '' }, required, path, issues);
      return required ? wrong('Required.') : undefined;
    case 'hidden':
      wrong(stillHidden);
      return hiddenText;
    case 'value':
      return draft.value;
    case 'typed':
      return control.kind === 'number' ? readNumber(control.integer, draft.text, wrong) : draft.text;
    case 'json':
      if (draft.text.trim() === '') return required ? wrong('Required.') : undefined;
      return readJson(control, draft.text, path, issues);
    case 'list': {
      const item = control.kind === 'list' ? control.item : null;
      if (item === null) return wrong('This list cannot be read. Load the page again.');
      return draft.items.map((one, at) => valueOf(item, one.draft, true, [...path, String(at)], issues)).filter((one) => one !== undefined);
    }
    case 'fields':
      return control.kind === 'fields' ? readFields(control.fields, draft, required, path, issues) : wrong('These fields cannot be read. Load the page again.');
  }
}

function readFields(fields: readonly ControlField[], draft: Draft & { kind: 'fields' }, required: boolean, path: readonly string[], issues: DraftIssue[]): unknown {
  const found: DraftIssue[] = [];
  const entries: (readonly [string, unknown])[] = [];
  for (const { name, control, required: needed } of fields) {
    const value = valueOf(control, draft.drafts[name] ?? emptyDraft(control), needed, [...path, name], found);
    if (value !== undefined) entries.push([name, value]);
  }
  if (draft.others.trim() !== '') {
    const others = readText(draft.others, path, found);
    if (isJsonRecord(others)) entries.push(...Object.entries(others).filter(([name]) => fields.every((field) => field.name !== name)));
    else if (others !== undefined) found.push({ path, message: 'Other fields: expected an object, such as {"name": "value"}.' });
    if (hidesSomething(others)) found.push({ path, message: `Other fields: ${stillHidden}` });
  }
  const untouched = entries.length === 0 && Object.values(draft.drafts).every((one) => one.kind === 'unset' || (one.kind === 'json' && one.text.trim() === ''));
  // What nobody began to fill in is left out as a whole.
  if (untouched && !required && draft.others.trim() === '') return undefined;
  issues.push(...found);
  return Object.fromEntries(entries);
}

function readNumber(integer: boolean, typed: string, wrong: (message: string) => undefined): number | undefined {
  const text = typed.trim();
  const value = Number(text);
  if (!/^[-+]?\d*\.?\d+(?:[eE][+-]?\d+)?$/.test(text)) return wrong(integer ? 'Expected a whole number, such as 12.' : 'Expected a number, such as 12 or 0.5.');
  if (roundedIn(value).length > 0) return wrong(rounded);
  return integer && !Number.isInteger(value) ? wrong('Expected a whole number, such as 12.') : value;
}

const rounded = 'Numbers beyond ±9007199254740991 are rounded by JSON parsers, and therefore refused. Send it as a text, if the type takes one.';

const stillHidden = 'It is hidden. Fill it in again, or take over what was given.';

/** What the server hides is not sent back as it is shown. */
function readJson(control: Control, text: string, path: readonly string[], issues: DraftIssue[]): unknown {
  const value = readText(text, path, issues);
  issues.push(...hiddenIn(control, value, path).map((place) => ({ path: place, message: stillHidden })));
  return value;
}

function hiddenIn(control: Control, value: unknown, path: readonly string[]): (readonly string[])[] {
  if (isHidden(control, value)) return [path];
  if (control.kind === 'fields' && isJsonRecord(value)) {
    return control.fields.flatMap(({ name, control: inner }) => (Object.hasOwn(value, name) ? hiddenIn(inner, value[name], [...path, name]) : []));
  }
  if (control.kind === 'list' && Array.isArray(value)) return value.flatMap((item: unknown, at) => hiddenIn(control.item, item, [...path, String(at)]));
  // What is secret in there is not known here.
  return control.kind === 'json' && hidesSomething(value) ? [path] : [];
}

function readText(text: string, path: readonly string[], issues: DraftIssue[]): unknown {
  try {
    const value: unknown = JSON.parse(text);
    issues.push(...roundedIn(value, path).map((place) => ({ path: place, message: rounded })));
    return value;
  } catch (error) {
    issues.push({ path, message: `This is not JSON. ${error instanceof Error ? error.message : ''}` });
    return undefined;
  }
}
