import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';

/** What a part of the path becomes that is not UTF-8. */
const unreadable = '\uFFFD';

/** Our own paths, as opposed to the dialects': OPTIONS names their methods, others are 405, not 404, and unreadable ids 400. */
export class NativePaths {
  readonly #methods = new Map<string, Set<string>>();

  /** Notes every route that is added from now on. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', (route) => {
      const { url, method, config } = route;
      if (config?.dialect === true) return;
      const known = this.#methods.get(url) ?? new Set();
      for (const each of [method].flat()) known.add(each);
      this.#methods.set(url, known);
      if (url.includes(':')) route.onRequest = [refuseUnreadable, ...[route.onRequest ?? []].flat()];
    });
  }

  /** Adds the answers to all other methods. To be called after all of our own routes were added. */
  refuseOtherMethods(app: FastifyInstance): void {
    void app.register(async (scope) => {
      for (const [url, methods] of this.#methods) {
        const allow = [...methods].join(', ');
        if (!methods.has('OPTIONS')) {
          // Load balancers ask it to see whether somebody answers.
          scope.options(url, { onRequest: async (_request, reply) => reply.code(204).header('allow', allow).send() }, (_request, reply) => reply);
        }
        scope.route({
          url,
          method: scope.supportedMethods.filter((method) => method !== 'OPTIONS' && !methods.has(method)),
          // Before a body is read: it does not matter here.
          onRequest: async (request, reply) => {
            const message = `This path takes ${allow}, not ${request.method}.`;
            return reply.code(405).header('allow', allow).send({ error: { code: 'BAD_USER_INPUT', message } });
          },
          handler: (_request, reply) => reply,
        });
      }
    });
  }
}

function refuseUnreadable(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
  if (!Object.values(Object(request.params)).some((value) => String(value).includes(unreadable))) return done();
  const message = 'The path of this URL cannot be read. Send it as UTF-8, percent-encoded.';
  void reply.code(400).send({ error: { code: 'BAD_USER_INPUT', message } });
}
