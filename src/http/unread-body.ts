import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** How long a refused client may go on sending its body, in milliseconds. */
const patience = 5_000;

/**
 * Lets a request be refused before its body is read. A client that asks first (`Expect: 100-continue`) is told to send its
 * body only when it is about to be read. What another client still sends is read and dropped, because it reads the answer
 * only afterwards; one that sends for too long is cut off.
 */
export function boundUnreadBodies(app: FastifyInstance): void {
  const asking = new WeakSet<IncomingMessage>();
  app.server.on('checkContinue', (request, response) => {
    asking.add(request);
    app.server.emit('request', request, response);
  });
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (asking.delete(request.raw)) reply.raw.writeContinue();
    done();
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    // It may send the body or not, so nobody could tell where its next request begins.
    if (asking.has(request.raw)) reply.header('connection', 'close');
    done();
  });
  app.addHook('onResponse', ({ raw }, _reply, done) => {
    if (!raw.complete && !raw.destroyed) {
      const cut = setTimeout(() => raw.destroy(), patience);
      raw.once('close', () => clearTimeout(cut));
    }
    done();
  });
}
