import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Manifest } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';

const kilobyte = 1_000;

let folder: string;
let manifest: Manifest;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-page-'));
  const configFile = fileURLToPath(new URL('../../src/dashboard/vite.config.ts', import.meta.url));
  await build({ configFile, logLevel: 'error', build: { outDir: folder } });
  manifest = JSON.parse(await readFile(join(folder, '.vite/manifest.json'), 'utf8'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function gzipped(files: Iterable<string>): Promise<number> {
  const sizes = await Promise.all([...files].map(async (file) => gzipSync(await readFile(join(folder, file)), { level: 9 }).length));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** What a browser loads before the page shows anything. */
function ofTheEntry(): { scripts: Set<string>; styles: Set<string> } {
  const scripts = new Set<string>();
  const styles = new Set<string>();
  const take = (name: string) => {
    const chunk = manifest[name];
    if (chunk === undefined || scripts.has(chunk.file)) return;
    scripts.add(chunk.file);
    for (const style of chunk.css ?? []) styles.add(style);
    for (const imported of chunk.imports ?? []) take(imported);
  };
  take('index.html');
  return { scripts, styles };
}

test('the page begins with at most 60 KB of scripts and 10 KB of styles, gzipped', async () => {
  const { scripts, styles } = ofTheEntry();
  expect(scripts.size).toBeGreaterThan(0);
  expect(await gzipped(scripts)).toBeLessThanOrEqual(60 * kilobyte);
  expect(styles.size).toBeGreaterThan(0);
  expect(await gzipped(styles)).toBeLessThanOrEqual(10 * kilobyte);
});

test('every other screen is loaded when it is opened', async () => {
  const screens = await readFile(fileURLToPath(new URL('../../src/dashboard/app/screens.ts', import.meta.url)), 'utf8');
  const paths = [...screens.matchAll(/import\('\.\.\/([\w/-]+\.tsx)'\)/g)].map(([, path]) => path);
  expect(paths.filter((path) => manifest[path ?? '']?.isDynamicEntry !== true)).toEqual([]);
});

test('its files lie flat with hashes in their names, and its addresses are relative', async () => {
  const html = await readFile(join(folder, 'index.html'), 'utf8');
  expect([...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address)).toSatisfy((addresses: string[]) =>
    addresses.every((address) => /^\.\/assets\/[\w-]+-[\w-]{8}\.\w+$/.test(address)),
  );
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=/);
  expect((await readdir(join(folder, 'assets'))).filter((name) => !/^[\w.-]+-[\w-]{8}\.(js|css|svg)$/.test(name))).toEqual([]);
});
