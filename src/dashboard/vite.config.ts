import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Builds the page: `dist/dashboard`, in which every file but index.html has its hash in its name. */
export default defineConfig({
  root: at('.'),
  // Relative, so that one build works below any path.
  base: './',
  // Everything that is served is built; there is nothing to copy.
  publicDir: false,
  resolve: {
    // Its source, so that the page does not depend on which of the two was built first.
    alias: [{ find: /^@longhaul\/client$/, replacement: at('../../clients/js/src/index.ts') }],
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: at('../../dist/dashboard'),
    emptyOutDir: true,
    manifest: true,
    target: 'es2022',
    cssTarget: 'chrome123',
    modulePreload: { polyfill: false },
    // A data: URL would be a second way to a file, which the page's policy does not let through.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
