import type { FastifyInstance } from 'fastify';

/** Which methods an address supports, for the answer to one it does not. */
export class KnownRoutes {
  readonly #routes: { readonly parts: readonly string[]; readonly methods: readonly string[] }[] = [];

  constructor(server: FastifyInstance) {
    server.addHook('onRoute', ({ url, method }) => {
      this.#routes.push({ parts: url.split('/'), methods: [method].flat() });
    });
  }

  /** Such as `GET /api/v1/entities/:id`, sorted. */
  list(): string[] {
    return this.#routes.flatMap(({ parts, methods }) => methods.map((method) => `${method} ${parts.join('/')}`)).sort();
  }

  methodsOf(path: string): string[] {
    const parts = path.split('/');
    const fitting = this.#routes.filter((route) => fits(route.parts, parts));
    return [...new Set(fitting.flatMap(({ methods }) => methods))].sort();
  }
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length && pattern.every((part, index) => part === parts[index] || part.startsWith(':'))
  );
}
