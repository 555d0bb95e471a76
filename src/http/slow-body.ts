import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether its bodies may take as long as they take, because the route looks after that. */
    longBodies?: boolean;
  }
}

/** How long a request may take to arrive, in milliseconds. */
const patience = 60_000;

const tooSlow = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** Cuts off clients that send a body too slowly, as Node does for a whole server alone (`requestTimeout`): files take longer. */
export function boundBodies(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw, routeOptions }, reply, done) => {
    if (!raw.complete && routeOptions.config.longBodies !== true && hasBody(raw.headers)) {
      const cut = setTimeout(() => {
        if (raw.complete) return;
        if (!reply.raw.headersSent) raw.socket.write(tooSlow);
        raw.socket.destroySoon();
      }, patience);
      cut.unref();
      raw.once('close', () => clearTimeout(cut));
    }
    done();
  });
}

function hasBody({ 'content-length': length, 'transfer-encoding': coding }: NodeJS.Dict<string | string[]>): boolean {
  return coding !== undefined || (length !== undefined && length !== '0');
}
