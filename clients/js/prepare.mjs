import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/*
 * Compiles src to dist, as Node takes no TypeScript under node_modules. Nothing happens where dist is newer than all of src, nor where
 * TypeScript is left out (--omit=dev): the server itself runs without this package.
 */
const here = fileURLToPath(new URL('.', import.meta.url));
const filesIn = (folder) => readdirSync(here + folder, { recursive: true, encoding: 'utf8' }).map((file) => `${here}${folder}/${file}`);
const sources = [...filesIn('src'), `${here}tsconfig.json`, `${here}prepare.mjs`];
const compiled = `${here}dist/index.js`;
const tsc = findCompiler();
if (tsc !== null && (!existsSync(compiled) || sources.some((file) => statSync(file).mtimeMs > statSync(compiled).mtimeMs))) compile(tsc);

function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/package.json').replace(/package\.json$/, 'bin/tsc');
  } catch {
    return null;
  }
}

/** Into a folder beside, so that whoever imports the package meanwhile finds it whole. */
function compile(compiler) {
  const fresh = `dist-${process.pid}`;
  const { status } = spawnSync(process.execPath, [compiler, '--project', here, '--outDir', here + fresh], { stdio: 'inherit' });
  if (status === 0) {
    // The compiler leaves .ts in declarations, which not every tool resolves.
    for (const file of filesIn(fresh).filter((name) => name.endsWith('.d.ts'))) {
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, text.replace(/(from |import\()'(\.{1,2}\/[^']+)\.ts'/g, "$1'$2.js'"));
    }
    rmSync(`${here}dist`, { recursive: true, force: true });
    renameSync(here + fresh, `${here}dist`);
  }
  rmSync(here + fresh, { recursive: true, force: true });
  process.exitCode = status ?? 1;
}
