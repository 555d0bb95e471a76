import { describe, expect, test } from 'vitest';
import { hidesSomething } from '../../src/dashboard/app/json-values.ts';
import { controlOf } from '../../src/dashboard/form/controls.ts';
import { type Draft, type DraftIssue, draftOf, emptyDraft, unhidden, valueOf } from '../../src/dashboard/form/drafts.ts';
import { shippedJobTypes } from '../../src/jobs/types/shipped.ts';

/** What a draft would send, and what is wrong with it. */
function read(schema: object, draft: Draft): { value: unknown; issues: DraftIssue[] } {
  const issues: DraftIssue[] = [];
  const value = valueOf(controlOf(schema), draft, true, ['input'], issues);
  return { value, issues };
}

function fields(drafts: Record<string, Draft>, others = ''): Draft {
  return { kind: 'fields', drafts, others };
}

const typed = (text: string): Draft => ({ kind: 'typed', text });

const person = {
  type: 'object',
  required: ['name', 'age'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', maxLength: 20, title: 'Name' },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    height: { anyOf: [{ type: 'number' }, { type: 'null' }], description: 'In metres.' },
    size: { enum: ['s', 'm', 3, null], default: 'm' },
    member: { type: ['boolean', 'null'] },
    picture: { type: 'string', 'x-source': true },
    password: { anyOf: [{ type: 'string', 'x-secret': true }, { type: 'null' }] },
    friends: { type: 'array', items: { $ref: '#/$defs/friend' }, maxItems: 3 },
    home: { type: 'object', properties: { street: { type: 'string' } }, required: ['street'] },
    odd: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  },
  $defs: { friend: { type: 'object', properties: { name: { type: 'string' }, friends: { type: 'array', items: { $ref: '#/$defs/friend' } } }, required: ['name'] } },
};

describe('a schema as a form', () => {
  test('each kind of field has its control; what a form cannot show is JSON', () => {
    const control = controlOf(person);
    if (control.kind !== 'fields') throw new Error('expected fields');
    expect(control.open).toBe(false);
    const about = control.fields.map(({ name, required, control: { kind } }) => `${name}${required ? '*' : ''}: ${kind}`);
    expect(about).toEqual(['name*: text', 'age*: number', 'height: number', 'size: choice', 'member: boolean', 'picture: text', 'password: text', 'friends: list', 'home: fields', 'odd: json']);
    const of = (name: string) => control.fields.find((field) => field.name === name)?.control;
    expect(of('name')).toMatchObject({ title: 'Name', bounds: 'at most 20 characters' });
    expect(of('age')).toMatchObject({ integer: true, bounds: 'from 0 to 150' });
    expect(of('height')).toMatchObject({ description: 'In metres.' });
    expect(of('size')).toMatchObject({ values: ['"s"', '"m"', '3'], otherwise: '"m"' });
    expect(of('picture')).toMatchObject({ source: true });
    expect(of('password')).toMatchObject({ secret: true });
    // A schema that contains itself ends as JSON.
    expect(JSON.stringify(of('friends'))).toContain('"json"');
  });

  test('what is left empty is not sent, and what is required is asked for at its place', () => {
    expect(read(person, emptyDraft(controlOf(person))).issues.map(({ path }) => path.join('.'))).toEqual(['input.name', 'input.age']);
    expect(read(person, fields({ name: typed('Ada'), age: typed(' 36 ') }))).toEqual({ value: { name: 'Ada', age: 36 }, issues: [] });
    // Who begins with an object has to finish it.
    const begun = read({ ...person, required: [] }, fields({ home: fields({ street: { kind: 'unset' } }, '{"zip": 1}') }));
    expect(begun.issues).toEqual([{ path: ['input', 'home', 'street'], message: 'Required.' }]);
    const entry = read({ ...person, required: [] }, fields({ friends: { kind: 'list', items: [{ key: 1, draft: { kind: 'unset' } }] } }));
    expect(entry.issues).toEqual([{ path: ['input', 'friends', '0', 'name'], message: 'Required.' }]);
  });

  test('numbers and JSON are read as they are meant, or it is said why not', () => {
    const at = (age: string) => read({ type: 'object', properties: { age: { type: 'integer' } } }, fields({ age: typed(age) }));
    expect(at('1e3').value).toEqual({ age: 1000 });
    expect(at('+7').value).toEqual({ age: 7 });
    expect(at('1.5').issues).toEqual([{ path: ['input', 'age'], message: 'Expected a whole number, such as 12.' }]);
    expect(at('twelve').issues).toHaveLength(1);
    expect(at('9007199254740993').issues[0]?.message).toMatch(/^Numbers beyond ±9007199254740991 are rounded/);
    const odd = (text: string) => read({ type: 'object', properties: { odd: {} } }, fields({ odd: { kind: 'json', text } }));
    expect(odd('["a"]').value).toEqual({ odd: ['a'] });
    expect(odd('["a"').issues[0]?.message).toMatch(/^This is not JSON\. .+/);
    expect(odd('[1, 12345678901234567890]').issues[0]?.path).toEqual(['input', 'odd', '1']);
    expect(read({ type: 'object' }, fields({}, '[1]')).issues[0]?.message).toContain('expected an object');
  });

  test('an input comes out of the form as it went in', () => {
    const inputs = [
      { name: '', age: 1, height: null, size: 3, member: false, friends: [{ name: 'Bo', friends: [] }], odd: { any: [1, 'x', null] } },
      { name: 'Ada', age: 'old', home: 'none', size: 'xl', friends: 'many' },
      { unknown: { kept: true }, name: 'Ada', age: 2 },
    ];
    for (const input of inputs) {
      const control = controlOf({ ...person, additionalProperties: {} });
      const issues: DraftIssue[] = [];
      const value = valueOf(control, draftOf(control, input), true, ['input'], issues);
      expect(issues).toEqual([]);
      expect(value).toEqual(input);
    }
  });

  test('a secret is typed again or taken over; nothing else that was filled in changes', () => {
    const control = controlOf(person);
    const draft = draftOf(control, { name: 'Ada', age: 36, password: '•••' });
    expect(read(person, draft).issues).toMatchObject([{ path: ['input', 'password'] }]);
    if (draft.kind !== 'fields') throw new Error('expected fields');
    const changed: Draft = { ...draft, drafts: { ...draft.drafts, name: typed('Grace') } };
    const shown = unhidden(control, changed, { name: 'Ada', age: 36, password: 's3cret' });
    expect(read(person, shown)).toEqual({ value: { name: 'Grace', age: 36, password: 's3cret' }, issues: [] });
    // Where not even the names are told.
    const all = draftOf(control, { '•••': '•••' });
    expect(all).toEqual({ kind: 'hidden' });
    expect(hidesSomething({ a: [{ key: '•••' }] })).toBe(true);
    expect(hidesSomething({ a: ['• • •', null, 3] })).toBe(false);
    expect(read(person, unhidden(control, all, { name: 'Ada', age: 36 })).value).toEqual({ name: 'Ada', age: 36 });
  });

  test('what is hidden is not sent back as it is shown, from JSON either', () => {
    const hidden = (schema: object, text: string) => read(schema, { kind: 'json', text }).issues.map(({ path }) => path.join('.'));
    expect(hidden(person, '{"name": "•••", "age": 36, "password": "•••"}')).toEqual(['input.password']);
    expect(hidden(person, '{"•••": "•••"}')).toEqual(['input']);
    expect(hidden(person, '{"name": "Ada", "age": 36, "odd": ["•••"]}')).toEqual(['input.odd']);
    expect(hidden(person, '{"name": "Ada", "age": 36, "password": "s3cret"}')).toEqual([]);
    expect(read({ type: 'object' }, fields({}, '{"token": "•••"}')).issues).toMatchObject([{ path: ['input'] }]);
  });

  test('every shipped type has a form of fields, and takes a text that merely looks hidden', () => {
    for (const { name, inputSchema } of shippedJobTypes) {
      const control = controlOf(inputSchema);
      expect(control.kind, name).toBe('fields');
      if (control.kind === 'fields') expect(control.fields.filter((field) => field.control.kind === 'json'), name).toEqual([]);
    }
    expect(draftOf(controlOf({ type: 'string' }), '•••')).toEqual(typed('•••'));
  });
});
