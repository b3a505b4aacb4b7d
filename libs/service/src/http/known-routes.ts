import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.js';

/** The route of CORS fits every address, and answers preflights only. */
const EVERY_ADDRESS = '*';

/** Whether the router has no route for the request. It takes an empty text for a parameter, as after a slash at the end. */
export function isUnknown({ is404, params }: FastifyRequest): boolean {
  if (is404) return true;
  for (const name in params as Record<string, string>) if ((params as Record<string, string>)[name] === '') return true;
  return false;
}

/** Which methods an address supports, for the answer to one it does not. */
export class KnownRoutes {
  readonly #routes: { readonly parts: readonly string[]; readonly methods: readonly string[] }[] = [];

  constructor(server: FastifyInstance) {
    server.addHook('onRoute', ({ url, method }) => {
      if (url !== EVERY_ADDRESS) this.#routes.push({ parts: url.split('/'), methods: [method].flat() });
    });
  }

  /** Such as `GET /api/v1/orders/:id`, sorted. */
  list(): string[] {
    return this.#routes.flatMap(({ parts, methods }) => methods.map((method) => `${method} ${parts.join('/')}`)).sort();
  }

  /** An address that exists for other methods is told apart from one that does not exist. */
  describeUnknown({ url }: Pick<FastifyRequest, 'url'>): Problem {
    const methods = this.#methodsOf(url.replace(/\?.*$/, ''));
    if (methods.length === 0) return new Problem('not-found');
    return new Problem('method-not-allowed', { headers: { allow: methods.join(', ') } });
  }

  #methodsOf(path: string): string[] {
    const parts = path.split('/');
    const fitting = this.#routes.filter((route) => fits(route.parts, parts));
    return [...new Set(fitting.flatMap(({ methods }) => methods))].sort();
  }
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    // The router takes no empty text for a parameter: a slash at the end is another address.
    pattern.every((part, index) => part === parts[index] || (part.startsWith(':') && parts[index] !== ''))
  );
}
