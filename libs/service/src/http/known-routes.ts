import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.js';

/** The route of CORS matches every address, and responds to preflights only. */
const EVERY_ADDRESS = '*';

/**
 * Whether no route matches the request. The router accepts an empty parameter, as after a slash at the end; this does
 * not.
 */
export function isUnknown({ is404, params }: FastifyRequest): boolean {
  if (is404) return true;
  for (const name in params as Record<string, string>) if ((params as Record<string, string>)[name] === '') return true;
  return false;
}

/** The methods that an address supports, for the response to an unsupported method. */
export class KnownRoutes {
  readonly #routes: { readonly parts: readonly string[]; readonly methods: readonly string[] }[] = [];

  constructor(server: FastifyInstance) {
    server.addHook('onRoute', ({ url, method }) => {
      if (url !== EVERY_ADDRESS) this.#routes.push({ parts: url.split('/'), methods: [method].flat() });
    });
  }

  /** All routes, such as `GET /api/v1/orders/:id`, sorted. */
  list(): string[] {
    return this.#routes.flatMap(({ parts, methods }) => methods.map((method) => `${method} ${parts.join('/')}`)).sort();
  }

  /** Distinguishes an address that supports other methods from an address that does not exist. */
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
    // A parameter must not be empty: a slash at the end makes another address.
    pattern.every((part, index) => part === parts[index] || (part.startsWith(':') && parts[index] !== ''))
  );
}
