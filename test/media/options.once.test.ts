import { expect, test } from 'vitest';
import { describeIssue } from '../../src/errors.ts';
import { isJsonObject } from '../../src/json.ts';
import { builtInNames } from '../../src/jobs/types/built-in.ts';
import { shippedJobTypes } from '../../src/jobs/types/shipped.ts';

const source = 'https://example.com/video.mp4';

function typeNamed(name: string) {
  const type = shippedJobTypes.find((each) => each.name === name);
  if (type === undefined) throw new Error(`${name} is not shipped`);
  return type;
}

/** Without RevidAPI's own. */
const ofMedia = builtInNames.filter((name) => name.startsWith('media/') && name !== 'media/transcribe').map(typeNamed);

test('the types of media describe each option, so that a form can be made of them', () => {
  const described = (schema: unknown, path: string): string[] => {
    if (!isJsonObject(schema)) return [`${path} is no schema`];
    const { title, description, properties = {}, items } = schema;
    const own = path === '' || path.endsWith('/items') || (typeof title === 'string' && typeof description === 'string') ? [] : [path];
    const fields = isJsonObject(properties) ? Object.entries(properties).flatMap(([name, field]) => described(field, `${path}/${name}`)) : [];
    return [...own, ...fields, ...(items === undefined ? [] : described(items, `${path}/items`))];
  };
  for (const type of ofMedia) {
    expect(described(type.inputSchema, '')).toEqual([]);
  }
  const { properties } = typeNamed('media/export').inputSchema;
  expect(properties).toMatchObject({
    sourceUrl: { title: 'Source', 'x-source': true },
    subtitlesUrl: { 'x-source': true },
    format: { default: 'mp4', enum: ['mp4', 'webm', 'mp3', 'wav', 'gif'] },
    width: { type: 'integer', minimum: 16, maximum: 4096 },
  });
});

test.each<[string, object, string]>([
  ['media/export', { qualty: 'high' }, 'qualty: is not a known field; remove it or correct its name'],
  ['media/export', { width: 15 }, 'width: expected at least 16, got 15'],
  ['media/export', { start: 2, end: 2 }, 'end: expected more than start'],
  ['media/export', { outputs: [] }, 'outputs: expected at least 1 item, got 0'],
  ['media/export', { outputs: [{ name: 'a' }, { format: 'gif' }, { name: 'a', format: 'webm' }] }, 'outputs.2.name: "a" is the name of another output, too; give each its own'],
  ['media/export', { outputs: [{ format: 'gif' }, { name: 'gif' }] }, 'outputs.1.name: "gif" is the name of another output, too; give each its own'],
  ['media/trim', { start: -1 }, 'start: expected at least 0, got -1'],
  ['media/audio', { operation: 'mix' }, 'audioUrl: is required for mix and replace'],
  ['media/analysis', { thumbnails: 101 }, 'thumbnails: expected at most 100, got 101'],
  ['preview', { kind: 'film' }, 'kind: expected one of "poster", "contactSheet", "sprite", "clip", "waveform", got "film"'],
])('%s refuses %j', (name, options, issue) => {
  const parsed = typeNamed(name).parseInput({ sourceUrl: source, ...options });
  expect(parsed.ok ? [] : parsed.issues.map(describeIssue)).toEqual([issue]);
});

test.each(['preview', 'fingerprint'])("%s, which is VideoConduit's, keeps whatever old clients send, and takes null for what they leave out", (name) => {
  const input = { sourceUrl: source, url: source, format: 'gif', kind: null, width: null, frames: null, columns: null };
  expect(typeNamed(name).parseInput(input)).toEqual({ ok: true, input });
});
