import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimits } from '../http/rate-limits.js';
import { TokenVerifier, unauthenticated } from './token-verifier.js';

const BEARER = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*)$/i;

/** Every route of a controller needs a token; what needs none (health, documents) is not a controller. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly verifier: TokenVerifier,
    private readonly limits: RateLimits,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const enter = (userId: string): true => {
      request.airlock.userId = userId;
      this.limits.takeUser(userId, http.getResponse<FastifyReply>());
      return true;
    };
    const token = readToken(request);
    const known = this.verifier.recall(token);
    if (known === undefined) return this.verifier.verify(token).then(enter);
    return enter(known);
  }
}

/** The id of the caller, from the verified token. */
export const UserId = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const { userId } = context.switchToHttp().getRequest<FastifyRequest>().airlock;
  if (userId === undefined) throw unauthenticated();
  return userId;
});

function readToken(request: FastifyRequest): string {
  const { authorization } = request.headers;
  if (authorization === undefined) throw unauthenticated();
  if (hasSeveral(request.raw.rawHeaders))
    throw unauthenticated(new Error('there is more than one Authorization header'));
  const [, token] = BEARER.exec(authorization) ?? [];
  if (token === undefined) throw unauthenticated(new Error('the Authorization header holds no bearer token'));
  return token;
}

/** Node keeps the first of several; a proxy may have judged the last. */
function hasSeveral(rawHeaders: readonly string[]): boolean {
  const isName = (text: string, index: number) => index % 2 === 0 && text.length === 13;
  return rawHeaders.filter((text, index) => isName(text, index) && text.toLowerCase() === 'authorization').length > 1;
}
