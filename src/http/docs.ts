import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { send } from '@fastify/send';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Everything comes from this server: a page about an API is no reason to tell somebody else who reads it. */
const safetyHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    // Swagger UI sets styles on its elements.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Longhaul: the REST dialects</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="icon" type="image/png" sizes="32x32" href="docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

// `validatorUrl`: without it the document's address is sent to a server of Swagger's.
const start = `SwaggerUIBundle({
  url: 'docs/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
});
`;

const openApi = fileURLToPath(new URL('../../schema/openapi.json', import.meta.url));
/** Swagger UI's own; its plugin for Fastify would cost every start what only a reader needs. */
const files = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;

/**
 * GET `/docs`: the REST dialects for people to read and try, and `/docs/openapi.json`: the document that it is made of.
 * Without a key, as everything in them is public. Nothing is read before somebody asks.
 */
export function docsRoutes(app: FastifyInstance, { publicUrl }: { publicUrl: () => string }): void {
  app.get('/docs', async (_request, reply) => text(reply, 'text/html', page));
  app.get('/docs/', async (_request, reply) => reply.redirect('../docs'));
  app.get('/docs/start.js', async (_request, reply) => text(reply, 'text/javascript', start));

  // Read each time: few ask for it, each of them once.
  app.get('/docs/openapi.json', async (_request, reply) => {
    const document: object = JSON.parse(await readFile(openApi, 'utf8'));
    // Anyone may read it from anywhere: generators and other tools run in pages of their own.
    reply.header('access-control-allow-origin', '*');
    return text(reply, 'application/json', JSON.stringify({ ...document, servers: [{ url: publicUrl() }] }));
  });

  for (const file of files) app.get(`/docs/${file}`, (request, reply) => sendFile(request, reply, file));
}

function text(reply: FastifyReply, type: string, content: string): FastifyReply {
  return reply.headers(safetyHeaders).header('cache-control', 'no-cache').type(`${type}; charset=utf-8`).send(content);
}

async function sendFile(request: FastifyRequest, reply: FastifyReply, file: string): Promise<FastifyReply> {
  const root = join(dirname(fileURLToPath(import.meta.resolve('@fastify/swagger-ui'))), 'static');
  // A day: its name stays the same when a new version of it is installed.
  const { statusCode, headers, stream } = await send(request.raw, file, { root, maxAge: 86_400_000 });
  return reply.code(statusCode).headers(headers).headers(safetyHeaders).send(stream);
}
