import type { Config } from '@airlock/config';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SignatureRefusal, unsigned } from '../failures/signature-refusal.js';
import { SignatureCheck } from './signature-check.js';
import type { SignatureScheme } from './signature-scheme.js';

const WITHOUT_BODY = new Set(['GET', 'HEAD']);
const EMPTY = Buffer.alloc(0);

/**
 * The door of routes whose callers sign the body: the headers are checked before the body is read, and its bytes before
 * they are parsed.
 */
export class Signatures {
  readonly #checks = new Map<SignatureScheme, SignatureCheck>();

  /** Install this before the routes: a scheme without a usable key fails at the registration of its route. */
  constructor(server: FastifyInstance, config: Config) {
    server.addHook('onRoute', ({ config: { signature } = {}, method, url }) => {
      if (!signature) return;
      const route = `${[method].flat().join(', ')} ${url}`;
      if ([method].flat().some((name) => WITHOUT_BODY.has(name)))
        throw new Error(`${route}: signs a body, which ${[method].flat().join(', ')} does not have; expected POST`);
      this.#checks.set(signature, new SignatureCheck(signature, config, route));
    });
    // The parser is skipped for a request without a body.
    server.addHook('preValidation', (request, _, done) => {
      const { context, routeOptions } = request;
      try {
        if (routeOptions.config.signature && context.signature === undefined) this.#verify(request, EMPTY);
        done();
      } catch (error) {
        done(error as Error);
      }
    });
  }

  /** @throws Problem unauthenticated */
  expectBody(request: FastifyRequest): void {
    this.#refuse(request, (check) => void check.readHeaders(request.raw.rawHeaders));
    request.context.verifyBody = (bytes) => this.#verify(request, bytes);
  }

  #verify(request: FastifyRequest, bytes: Buffer): void {
    this.#refuse(request, (check) => check.assertMatch(check.readHeaders(request.raw.rawHeaders), bytes));
    request.context.signature = request.routeOptions.config.signature?.name;
  }

  #refuse({ routeOptions }: FastifyRequest, run: (check: SignatureCheck) => void): void {
    const { signature } = routeOptions.config;
    const check = signature && this.#checks.get(signature);
    if (!check) throw new Error(`${routeOptions.url ?? ''}: has no signature scheme`);
    try {
      run(check);
    } catch (error) {
      throw error instanceof SignatureRefusal ? unsigned(error, signature.name) : error;
    }
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Serves only callers that sign the body. */
    readonly signature?: SignatureScheme;
  }
}
