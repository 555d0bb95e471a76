import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { sendPage } from '../web/page.ts';
import { StaticFiles } from '../web/static-files.ts';

/** @param folder of the files, from the page's address */
const page = (folder: string, paths: Readonly<Record<string, string>>) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Longhaul: the REST dialects</title>
    <link rel="stylesheet" href="${folder}/${paths['swagger-ui.css']}">
    <link rel="icon" type="image/png" sizes="32x32" href="${folder}/${paths['favicon-32x32.png']}">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="${folder}/${paths['swagger-ui-bundle.js']}"></script>
    <script src="${folder}/${paths['start.js']}" data-document="${folder}/openapi.json"></script>
  </body>
</html>
`;

// The document names PUBLIC_URL, for machines. A page may call only the address that it came from.
// `validatorUrl`: without it the document's address is sent to a server of Swagger's.
const start = `const address = new URL(document.currentScript.dataset.document, location.href);
fetch(address).then((answer) => answer.json()).then((spec) => SwaggerUIBundle({
  spec: { ...spec, servers: [{ url: new URL('..', address).href.replace(/\\/$/, '') }] },
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: -1,
  persistAuthorization: false,
  validatorUrl: null,
}));
`;

const openApi = fileURLToPath(new URL('../../schema/openapi.json', import.meta.url));

/** Swagger UI's own; its plugin for Fastify would cost every start what only a reader needs. */
const swaggerFile = (name: string) => () =>
  readFile(join(dirname(fileURLToPath(import.meta.resolve('@fastify/swagger-ui'))), 'static', name));

/**
 * GET `/docs`: the REST dialects for people to read and try, and `/docs/openapi.json`: the document that it is made of.
 * Without a key, as everything in them is public. Nothing is read before somebody asks.
 */
export function docsRoutes(app: FastifyInstance, { publicUrl }: { publicUrl: () => string }): void {
  const files = new StaticFiles([
    { name: 'swagger-ui.css', read: swaggerFile('swagger-ui.css') },
    { name: 'swagger-ui-bundle.js', read: swaggerFile('swagger-ui-bundle.js') },
    { name: 'favicon-32x32.png', read: swaggerFile('favicon-32x32.png') },
    { name: 'start.js', read: async () => start },
  ]);
  files.mount(app, '/docs');
  app.get('/docs', async (_request, reply) => sendPage(reply, page('docs', await files.paths())));
  app.get('/docs/', async (_request, reply) => sendPage(reply, page('.', await files.paths())));

  // Read each time: few ask for it, each of them once.
  app.get('/docs/openapi.json', async (_request, reply) => {
    const document: object = JSON.parse(await readFile(openApi, 'utf8'));
    reply.headers({ 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' });
    return reply.send({ ...document, servers: [{ url: publicUrl() }] });
  });
}
