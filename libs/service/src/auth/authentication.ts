import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HEALTH_PATHS } from '@airlock/health';
import { TokenRefusal, unauthenticated } from '../failures/token-refusal.js';
import type { RateLimits } from '../http/rate-limits.js';
import { Problem } from '../problems/problem.js';
import type { Signatures } from '../signatures/signatures.js';
import type { Caller, TokenVerifier } from './token-verifier.js';

const BEARER = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*)$/i;

export interface AuthenticationOptions {
  /** Undefined for a service that accepts no tokens. */
  readonly verifier: TokenVerifier | undefined;
  readonly limits: RateLimits;
  readonly signatures: Signatures;
}

/**
 * Every route requires a token, except the probes and those whose config says `isPublic` or `signature`. This hook
 * runs before the body is read. A guard of Nest would run after that and would report errors in the body to callers
 * without a token.
 */
export function installAuthentication(server: FastifyInstance, options: AuthenticationOptions): void {
  const { verifier, limits, signatures } = options;
  server.addHook('onRequest', (request, reply, done) => {
    if (isPublic(request)) return done();
    const enter = ({ userId, roles, expiresAtMs }: Caller): void => {
      request.context.userId = userId;
      request.context.expiresAtMs = expiresAtMs;
      limits.takeUser(userId, reply);
      admit(request, roles);
    };
    try {
      if (request.routeOptions.config.signature) {
        signatures.expectBody(request);
        return done();
      }
      // No caller could use such a route, so it does not exist for them.
      if (!verifier) throw new Problem('not-found');
      const token = readToken(request);
      const known = verifier.recall(token);
      if (known === undefined)
        return void verifier
          .verify(token)
          .then(enter)
          .then(() => done(), done);
      enter(known);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}

/** @throws Problem forbidden if the route requires a role that the caller does not have */
function admit({ context, routeOptions }: FastifyRequest, roles: readonly string[]): void {
  const { role } = routeOptions.config;
  if (role === undefined) return;
  if (!roles.includes(role)) throw new Problem('forbidden', { detail: `This address requires the role ${role}.` });
  context.role = role;
}

function isPublic({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.config.isPublic === true || HEALTH_PATHS.has(routeOptions.url ?? '');
}

function readToken({ headers, raw, routeOptions }: FastifyRequest): string {
  const authorization = headers.authorization ?? readProtocolToken(headers, routeOptions.config.streams);
  if (authorization === undefined) throw unauthenticated(new TokenRefusal('header-missing'));
  if (hasSeveral(raw.rawHeaders)) throw unauthenticated(new TokenRefusal('header-repeated'));
  const [, token] = BEARER.exec(authorization) ?? [];
  if (token === undefined) throw unauthenticated(new TokenRefusal('header-malformed'));
  return token;
}

/** A page cannot set headers for a WebSocket, so it names its token as a protocol that is never accepted. */
function readProtocolToken(
  headers: IncomingHttpHeaders,
  streams: 'events' | 'messages' | undefined,
): string | undefined {
  if (streams !== 'messages') return undefined;
  const tokens = headers['sec-websocket-protocol']?.split(',').map((name) => /^bearer\.(.*)$/.exec(name.trim())?.[1]);
  const [token] = tokens?.filter((found) => found !== undefined) ?? [];
  return token === undefined ? undefined : `Bearer ${token}`;
}

/** Node keeps the first of several headers or joins them, while a proxy may have checked the last. */
function hasSeveral(rawHeaders: readonly string[]): boolean {
  const isName = (text: string, index: number) => index % 2 === 0 && text.length === 13;
  return rawHeaders.filter((text, index) => isName(text, index) && text.toLowerCase() === 'authorization').length > 1;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Serves callers without a token. */
    readonly isPublic?: boolean;
    /** Serves only callers whose token has this role. */
    readonly role?: string;
  }
}
