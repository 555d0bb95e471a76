import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small page in the form that the build gives it, in a folder of its own: index.html, and files with hashes in their names in assets. */
export interface BuiltPage {
  folder: string;
  html: string;
  /** Content by name. */
  assets: Readonly<Record<string, string | Buffer>>;
  remove(): Promise<void>;
}

export async function builtPage(): Promise<BuiltPage> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-page-'));
  const assets = {
    'index-Cx3Qz1_a.js': `document.title = 'moving';\n${'// long enough to be worth compressing\n'.repeat(200)}`,
    'jobs-B7-k9q2e.js': 'export const jobs = 1;\n',
    'index-DkqPz77b.css': 'body { margin: 0; }\n'.repeat(200),
    'mark-Aa91bC_d.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
    'dot-Zz81bC_d.png': Buffer.from('89504e470d0a1a0a', 'hex'),
  };
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Page</title>
    <link rel="icon" href="./assets/mark-Aa91bC_d.svg">
    <link rel="stylesheet" href="./assets/index-DkqPz77b.css">
    <link rel="modulepreload" href="./assets/jobs-B7-k9q2e.js">
    <script type="module" src="./assets/index-Cx3Qz1_a.js"></script>
  </head>
  <body></body>
</html>
`;
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), html);
  for (const [name, content] of Object.entries(assets)) await writeFile(join(folder, 'assets', name), content);
  return { folder, html, assets, remove: () => rm(folder, { recursive: true, force: true }) };
}
