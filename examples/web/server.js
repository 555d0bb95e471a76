import { createServer } from 'node:http';
import { createClient } from '@longhaul/client';
import { build } from 'vite';

const { LONGHAUL_URL = 'http://localhost:4000', LONGHAUL_KEY, PORT = '8080', TOKEN_SECONDS = '900' } = process.env;
const client = createClient({ url: LONGHAUL_URL, auth: LONGHAUL_KEY });

const input = new URL('page.jsx', import.meta.url).pathname;
const { output } = await build({ configFile: false, logLevel: 'warn', build: { write: false, modulePreload: false, rolldownOptions: { input, output: { codeSplitting: false } } } });
const script = output.find(({ type }) => type === 'chunk').code;
const html = `<!doctype html><html lang="en" data-longhaul="${LONGHAUL_URL}"><meta charset="utf-8"><title>Jobs</title>
<div id="root"></div><script type="module" src="/page.js"></script></html>`;

/** Here you would know who asks; the token opens the jobs of that customer alone. */
const tokenFor = (customer) => client.browserToken({ tag: customer, scopes: ['READ', 'WRITE'], types: ['demo', 'fingerprint'], ttlSeconds: Number(TOKEN_SECONDS) });

const server = createServer((request, response) => {
  const answer = (type, body) => response.setHeader('content-type', `${type}; charset=utf-8`).setHeader('cache-control', 'no-store').end(body);
  if (request.url === '/') answer('text/html', html);
  else if (request.url === '/page.js') answer('text/javascript', script);
  else if (request.url === '/token') tokenFor('customer-7').then(({ token }) => answer('text/plain', token), () => response.writeHead(503).end());
  else response.writeHead(404).end();
});
server.listen(Number(PORT), '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`));
