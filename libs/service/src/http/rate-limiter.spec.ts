import { describe, expect, it } from '@jest/globals';
import { currentContext, RequestContext, runInContext } from '../context/request-context.js';
import { RateLimiter } from './rate-limiter.js';

describe('an exchange of counts between replicas', () => {
  it('runs outside the context of the request that triggered it', async () => {
    const contexts: unknown[] = [];
    const exchanged = Promise.withResolvers<void>();
    const add = (counts: ReadonlyMap<string, number>) => {
      contexts.push(currentContext());
      exchanged.resolve();
      return Promise.resolve(counts);
    };
    const limiter = new RateLimiter({ name: 'user', limit: 1, shared: { add } });
    runInContext(new RequestContext({}), () => void limiter.take('user_1'));
    await exchanged.promise;
    expect(contexts).toEqual([undefined]);
    limiter.close();
  });
});
