import { existsSync, globSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/*
 * Builds the page into dist/dashboard. Nothing happens where what is there is newer than all that it is made of, nor where Vite is left
 * out (--omit=dev): the server runs without the page, and says at its address how to build it.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const built = `${root}dist/dashboard/.vite/manifest.json`;
const sources = ['src/dashboard/**/*', 'clients/js/src/**/*', 'package-lock.json'].flatMap((pattern) => globSync(pattern, { cwd: root }));

if (!isFresh()) await build();

function isFresh(): boolean {
  if (!existsSync(built)) return false;
  const { mtimeMs } = statSync(built);
  return sources.every((file) => statSync(root + file).mtimeMs <= mtimeMs);
}

async function build(): Promise<void> {
  const vite = await import('vite').catch(() => null);
  await vite?.build({ configFile: fileURLToPath(new URL('vite.config.ts', import.meta.url)), logLevel: 'warn' });
}
